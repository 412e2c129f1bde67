import { isIP, SocketAddress } from 'node:net';
import { expect } from 'chai';
import fc from '../support/properties.ts';
import { Network, NetworkList, Networks, normaliseAddress, normaliseNetwork } from '../../app/domain/network.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6().filter((text) => !text.startsWith('::ffff:'));

describe('the one spelling of an address', () => {
  const spellings: [text: string, normal: string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['0.0.0.0', '0.0.0.0'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:203.0.113.9', '203.0.113.9'],
    ['::ffff:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['0000:0000::0000:FFFF:CB00:7109', '203.0.113.9'],
    ['::ffff:0.0.0.0', '0.0.0.0'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0001:0:0:1:0:0', '2001:db8:1::1:0:0'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%2', 'fe80::1'],
    // neither mapped nor IPv4, although they end like it
    ['::203.0.113.9', '::cb00:7109'],
    ['64:ff9b::203.0.113.9', '64:ff9b::cb00:7109'],
    ['::1:ffff:203.0.113.9', '::1:ffff:cb00:7109'],
    ['::ffff:0:203.0.113.9', '::ffff:0:cb00:7109'],
  ];
  for (const [text, normal] of spellings) {
    it(`${text} is ${normal}`, () => {
      expect(normaliseAddress(text)).to.equal(normal);
    });
  }

  const garbage = [
    '',
    ' ',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\n',
  ];
  const more = [
    '1.2.3.4:80',
    '[::1]',
    '[::1]:80',
    '1.2.3.4/32',
    '0x1.2.3.4',
    '1.2.3.4%eth0',
    '::ffff:01.2.3.4',
    ':::',
    '1::2::3',
  ];
  for (const text of [
    ...garbage,
    ...more,
    '12345::',
    'g::',
    '::1%',
    '%eth0',
    'fe80::1%a%b',
    '::1@evil',
    '1,2',
    '１.2.3.4',
    'unknown',
  ]) {
    it(`${JSON.stringify(text)} is no address`, () => {
      expect(normaliseAddress(text)).to.equal(undefined);
    });
  }

  it('is the same whatever the spelling, and stays as it is', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (text) => {
        const normal = normaliseAddress(text) ?? '';
        expect(isIP(normal)).to.equal(isIP(text));
        expect(normaliseAddress(normal)).to.equal(normal);
        expect(normaliseAddress(text.toUpperCase())).to.equal(normal);
        expect(systemSpelling(normal)).to.equal(systemSpelling(text));
      }),
    );
  });

  it('of IPv4 inside IPv6 is IPv4', () => {
    fc.assert(fc.property(ipv4, (text) => void expect(normaliseAddress(`::FFFF:${text}`)).to.equal(text)));
  });
});

describe('the one spelling of a network', () => {
  const spellings: [text: string, normal: string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9/32', '203.0.113.9'],
    ['203.0.113.9/31', '203.0.113.8/31'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.9/24', '203.0.113.0/24'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9/128', '203.0.113.9'],
    ['::ffff:203.0.113.9/120', '203.0.113.0/24'],
    ['::FFFF:CB00:7109/120', '203.0.113.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8:0:0:ffff::1/64', '2001:db8::/64'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['1::/0', '::/0'],
  ];
  for (const [text, normal] of spellings) {
    it(`${text} is ${normal}`, () => {
      expect(normaliseNetwork(text)).to.equal(normal);
      expect(Network.parse(text)).to.equal(normal);
    });
  }

  const refused = [
    '',
    '/',
    '/8',
    '1.2.3.4/',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/+8',
    '1.2.3.4/08',
    '1.2.3.4/8.0',
    '1.2.3.4/8/8',
  ];
  const more = [
    '1.2.3.4/255.0.0.0',
    '01.2.3.4/8',
    '1.2.3/8',
    '1.2.3.4 /8',
    ' 1.2.3.4/8',
    '1.2.3.4/8\n',
    '1.2.3.4-1.2.3.9',
    '*',
  ];
  const v6 = [
    '::/129',
    '::/999',
    '::/1000',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    'fe80::/64%eth0',
    '[::1]/64',
    '::ffff:1.2.3.4/95',
    '::ffff:1.2.3.4/24',
  ];
  for (const text of [...refused, ...more, ...v6, 'localhost', '10', '::ffff:1.2.3.4/129', '1.2.3.4/1e1']) {
    it(`${JSON.stringify(text)} is no network`, () => {
      expect(normaliseNetwork(text)).to.equal(undefined);
      expect(Network.safeParse(text).success).to.equal(false);
    });
  }

  it('stays as it is', () => {
    const network = fc.oneof(fc.tuple(ipv4, fc.nat({ max: 32 })), fc.tuple(ipv6, fc.nat({ max: 128 })));
    fc.assert(
      fc.property(network, ([address, length]) => {
        const normal = normaliseNetwork(`${address}/${length}`) ?? '';
        expect(normaliseNetwork(normal)).to.equal(normal);
      }),
    );
  });

  it('in a list comes once, however it was spelt', () => {
    expect(NetworkList.parse(['10.0.0.1/8', '::ffff:10.0.0.0/104', '::1'])).to.deep.equal(['10.0.0.0/8', '::1']);
    expect(NetworkList.parse([])).to.deep.equal([]);
  });

  it('is no list with one bad entry, nor one of more than a hundred', () => {
    expect(NetworkList.safeParse(['10.0.0.0/8', 'nonsense']).success).to.equal(false);
    const many = [...Array(101).keys()].map((n) => `10.0.0.${n}`);
    expect(NetworkList.safeParse(many).success).to.equal(false);
    expect(NetworkList.safeParse(many.slice(1)).success).to.equal(true);
  });
});

describe('a set of networks', () => {
  const contained: [networks: string[], address: string, isIn: boolean][] = [
    [['203.0.113.9'], '203.0.113.9', true],
    [['203.0.113.9'], '203.0.113.8', false],
    [['203.0.113.0/24'], '203.0.113.255', true],
    [['203.0.113.0/24'], '203.0.114.0', false],
    [['203.0.113.9/24'], '203.0.113.1', true],
    [['10.0.0.0/8', '192.168.0.0/16'], '192.168.255.1', true],
    [['10.0.0.0/8', '192.168.0.0/16'], '172.16.0.1', false],
    [['203.0.113.9'], '::ffff:203.0.113.9', true],
    [['::ffff:203.0.113.9'], '203.0.113.9', true],
    [['::ffff:203.0.113.0/120'], '203.0.113.77', true],
    [['::ffff:203.0.113.0/120'], '::ffff:203.0.113.77', true],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['2001:db8::1'], '2001:DB8:0:0::1', true],
    [['2001:db8::1'], '2001:db8::2', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '203.0.113.9', false],
    [['::/0'], '::ffff:203.0.113.9', false],
    [['::/1'], '203.0.113.9', false],
    [['0.0.0.0/0', '::/0'], 'garbage', false],
    [['0.0.0.0/0', '::/0'], '', false],
    [[], '203.0.113.9', false],
    [[], '::1', false],
  ];
  for (const [networks, address, isIn] of contained) {
    it(`[${networks.join(', ')}] ${isIn ? 'holds' : 'does not hold'} ${JSON.stringify(address)}`, () => {
      expect(Networks.of(networks).contains(address)).to.equal(isIn);
    });
  }

  it('agrees with the bits of address and network', () => {
    const sized = (size: number) =>
      fc.record({
        size: fc.constant(size),
        bits: fc.bigInt({ min: 0n, max: (1n << BigInt(size)) - 1n }),
        length: fc.nat({ max: size }),
        changed: fc.nat({ max: size - 1 }),
      });
    fc.assert(
      fc.property(fc.oneof(sized(32), sized(128)), ({ size, bits, length, changed }) => {
        const address = addressOf(bits, size);
        const neighbour = addressOf(bits ^ (1n << BigInt(size - 1 - changed)), size);
        const networks = Networks.of([`${address}/${length}`]);
        expect(networks.contains(address)).to.equal(true);
        expect(networks.contains(neighbour), `${neighbour} in ${address}/${length}`).to.equal(changed >= length);
      }),
      { numRuns: 1000 },
    );
  });

  it('is made once for the same content', () => {
    expect(Networks.of(['10.0.0.0/8', '::1'])).to.equal(Networks.of(['10.0.0.0/8', '::1']));
    expect(Networks.of(['10.0.0.0/8'])).not.to.equal(Networks.of(['10.0.0.0/9']));
  });

  it('throws on a rule that is no network, each time, rather than leave it out', () => {
    for (let i = 0; i < 2; i++) expect(() => Networks.of(['10.0.0.0/8', 'nonsense'])).to.throw();
    Networks.of(['10.0.0.0/8', '::1']);
    expect(() => Networks.of(['10.0.0.0/8 ::1'])).to.throw();
    expect(() => Networks.of(['10.0.0.0/8,::1'])).to.throw();
  });
});

/** The address of so many bits, written in full. */
function addressOf(bits: bigint, size: number): string {
  const [step, radix, separator] = size === 32 ? ([8, 10, '.'] as const) : ([16, 16, ':'] as const);
  const shifts = [...Array(size / step).keys()].map((i) => BigInt(size - step * (i + 1)));
  return shifts.map((shift) => BigInt.asUintN(step, bits >> shift).toString(radix)).join(separator);
}

/** How the operating system writes an address, whatever its spelling. */
function systemSpelling(address: string): string {
  return new SocketAddress({ address, family: isIP(address) === 4 ? 'ipv4' : 'ipv6' }).address;
}
