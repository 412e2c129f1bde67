import { expect } from 'chai';
import fc from '../support/properties.ts';
import {
  earlierExpiry,
  fieldsBeyond,
  isRateWithin,
  narrowToBounds,
  type KeyBounds,
} from '../../app/domain/keyBounds.ts';
import { isContained, Networks } from '../../app/domain/network.ts';

/** A family with sixteen addresses, each spelt in one of several ways. */
interface Family {
  address: (n: number) => string;
  network: (n: number, bits: number) => string;
}
const IPV4: Family = { address: (n) => `10.0.0.${n}`, network: (n, bits) => `10.0.0.${n}/${28 + bits}` };
const MAPPED: Family = { ...IPV4, network: (n, bits) => `::ffff:10.0.0.${n}/${124 + bits}` };
const HEXADECIMAL: Family = { ...IPV4, network: (n, bits) => `::FFFF:a00:${n.toString(16)}/${124 + bits}` };
const IPV6: Family = {
  address: (n) => `2001:db8::${n.toString(16)}`,
  network: (n, bits) => `2001:DB8:0:0::${n.toString(16)}/${124 + bits}`,
};

const network = fc
  .tuple(fc.constantFrom(IPV4, MAPPED, HEXADECIMAL, IPV6), fc.nat(15), fc.nat(4))
  .map(([family, n, bits]) => ({ family, bits, first: n & -(1 << (4 - bits)), text: family.network(n, bits) }));

describe('a network in a list of others', () => {
  it('is contained if each of its addresses is, IPv4, IPv6 and one inside the other', () => {
    fc.assert(
      fc.property(network, fc.array(network, { maxLength: 6 }), (inner, others) => {
        const list = others.map(({ text }) => text);
        const allowed = Networks.of(list);
        const addresses = Array.from({ length: 1 << (4 - inner.bits) }, (_, i) =>
          inner.family.address(inner.first + i),
        );
        const each = addresses.every((address) => allowed.contains(address));
        expect(isContained(inner.text, list)).to.equal(each);
      }),
      { numRuns: 5_000 },
    );
  });

  for (const [inner, others, contained] of [
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9'], true],
    ['10.0.0.0/8', ['10.128.0.0/9', '10.0.0.0/10'], false],
    ['0.0.0.0/0', ['0.0.0.0/0'], true],
    ['0.0.0.0/0', ['::/0'], false],
    ['::/0', ['0.0.0.0/0', '::/1', '8000::/1'], true],
    ['::1', ['0.0.0.1'], false],
    ['::ffff:10.0.0.1', ['10.0.0.0/8'], true],
    ['2001:db8:1::/48', ['2001:db8::/32'], true],
    ['2001:db8::/31', ['2001:db8::/32'], false],
    ['10.0.0.1', [], false],
  ] as const) {
    it(`${inner} is ${contained ? '' : 'not '}in ${others.join(' and ') || 'none'}`, () => {
      expect(isContained(inner, others)).to.equal(contained);
    });
  }
});

describe('a rate within another one', () => {
  const rate = fc.record({ limit: fc.integer({ min: 1, max: 60 }), windowSeconds: fc.integer({ min: 1, max: 60 }) });
  const most = ({ limit, windowSeconds }: { limit: number; windowSeconds: number }, seconds: number) =>
    limit * Math.ceil(seconds / windowSeconds);

  it('lets no more through in any number of seconds', () => {
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 1, max: 600 }), (one, other, seconds) => {
        if (isRateWithin(one, other)) expect(most(one, seconds)).to.be.at.most(most(other, seconds));
      }),
    );
  });

  it('is within itself, and with a lower limit or a longer window', () => {
    fc.assert(
      fc.property(rate, fc.nat(60), fc.nat(60), (one, less, longer) => {
        const limit = Math.max(1, one.limit - less);
        expect(isRateWithin({ limit, windowSeconds: one.windowSeconds + longer }, one)).to.equal(true);
      }),
    );
  });
});

describe('the bounds of a key', () => {
  const unbounded = { expiresAt: null, allowedIps: [], rateLimit: null, monthlyQuota: null };
  const free: KeyBounds = {
    ...unbounded,
    rateLimit: { own: null, holds: null },
    monthlyQuota: { own: null, holds: null },
  };
  const rateLimit = { limit: 10, windowSeconds: 60 };
  const narrow: KeyBounds = {
    expiresAt: 1_000,
    allowedIps: ['10.0.0.0/8'],
    rateLimit: { own: rateLimit, holds: rateLimit },
    monthlyQuota: { own: 5, holds: 5 },
  };

  it('without any, nothing goes beyond', () => {
    expect(fieldsBeyond(free, unbounded)).to.deep.equal([]);
    expect(fieldsBeyond(free, { expiresAt: 1, allowedIps: ['::1'], rateLimit, monthlyQuota: 1 })).to.deep.equal([]);
  });

  it('what has no bound goes beyond any, and the same bounds go beyond none', () => {
    expect(fieldsBeyond(narrow, unbounded)).to.deep.equal(['expiresAt', 'allowedIps', 'rateLimit', 'monthlyQuota']);
    const same = { expiresAt: 1_000, allowedIps: ['10.0.0.0/8'], rateLimit, monthlyQuota: 5 };
    expect(fieldsBeyond(narrow, same)).to.deep.equal([]);
    expect(narrowToBounds(narrow, unbounded)).to.deep.equal(same);
    expect(narrowToBounds(free, same)).to.deep.equal(same);
  });

  it('a limit that is the tenant’s is followed, and not gone past', () => {
    const follows = { ...free, monthlyQuota: { own: null, holds: 5 }, rateLimit: { own: null, holds: rateLimit } };
    expect(fieldsBeyond(follows, unbounded)).to.deep.equal([]);
    const more = { ...unbounded, monthlyQuota: 6, rateLimit: { limit: 11, windowSeconds: 60 } };
    expect(fieldsBeyond(follows, more)).to.deep.equal(['rateLimit', 'monthlyQuota']);
  });

  it('of two ends the earlier one counts, and never is later than any', () => {
    expect([
      earlierExpiry(1, 2),
      earlierExpiry(2, 1),
      earlierExpiry(null, 3),
      earlierExpiry(3, null),
      earlierExpiry(null, null),
    ]).to.deep.equal([1, 1, 3, 3, null]);
  });
});
