import { expect } from 'chai';
import fc from '../support/properties.ts';
import { KEY_STATUSES, keyStatus, whyNotValid, type KeyStatusFacts } from '../../app/domain/keyStatus.ts';

const NOW = 1_000_000;
const past = NOW - 1;
const later = NOW + 1;

type Row = [life: Partial<KeyStatusFacts>, status: string, refusal: string | undefined, promise: string];

const truthTable: Row[] = [
  [{}, 'active', undefined, 'a key with nothing set is active'],
  [{ expiresAt: later }, 'active', undefined, 'a key is valid up to its last millisecond'],
  [{ expiresAt: NOW }, 'expired', 'expired', 'the instant of expiry is expired'],
  [{ expiresAt: past }, 'expired', 'expired', 'a key past its expiry is expired'],
  [{ revokedAt: past }, 'revoked', 'revoked', 'a revoked key is revoked'],
  [{ revokedAt: NOW }, 'revoked', 'revoked', 'revocation holds from its own instant'],
  [{ revokedAt: later }, 'revoked', 'revoked', 'a revocation stamped by a faster clock holds already'],
  [{ revokedAt: 0 }, 'revoked', 'revoked', 'time zero is a time, not an absence'],
  [{ expiresAt: 0 }, 'expired', 'expired', 'expiry at time zero is long past'],
  [{ revokedAt: past, expiresAt: past }, 'revoked', 'revoked', 'revoked wins over expired'],
  [{ graceEndsAt: later, successorKeyId: 'new' }, 'rotating', undefined, 'within grace the old key works'],
  [
    { graceEndsAt: NOW, successorKeyId: 'new' },
    'revoked',
    'revoked',
    'the end of grace is revoked: at once with grace 0',
  ],
  [{ graceEndsAt: past, successorKeyId: 'new' }, 'revoked', 'revoked', 'after grace the old key is revoked'],
  [{ graceEndsAt: 0, successorKeyId: 'new' }, 'revoked', 'revoked', 'grace that ended at time zero has ended'],
  [{ graceEndsAt: later }, 'rotating', undefined, 'grace counts although the successor is unknown'],
  [{ graceEndsAt: past }, 'revoked', 'revoked', 'the end of grace counts although the successor is unknown'],
  [{ successorKeyId: 'new' }, 'revoked', 'revoked', 'a replaced key without grace does not work'],
  [{ graceEndsAt: later, successorKeyId: 'new', expiresAt: past }, 'expired', 'expired', 'grace never outlives expiry'],
  [{ graceEndsAt: later, successorKeyId: 'new', expiresAt: NOW }, 'expired', 'expired', 'nor its instant'],
  [{ graceEndsAt: later, successorKeyId: 'new', expiresAt: later }, 'rotating', undefined, 'grace within expiry works'],
  [
    { graceEndsAt: past, successorKeyId: 'new', expiresAt: past },
    'revoked',
    'revoked',
    'ended grace wins over expired',
  ],
  [{ graceEndsAt: past, successorKeyId: 'new', expiresAt: later }, 'revoked', 'revoked', 'expiry prolongs no grace'],
  [{ graceEndsAt: later, successorKeyId: 'new', revokedAt: past }, 'revoked', 'revoked', 'grace saves no revoked key'],
  [{ pausedAt: past }, 'paused', 'paused', 'a paused key is refused'],
  [{ pausedAt: later }, 'paused', 'paused', 'a pause stamped by a faster clock holds already'],
  [{ pausedAt: past, graceEndsAt: later, successorKeyId: 'new' }, 'paused', 'paused', 'grace saves no paused key'],
  [{ pausedAt: past, expiresAt: past }, 'expired', 'expired', 'a paused key expires'],
  [{ pausedAt: past, revokedAt: past }, 'revoked', 'revoked', 'a paused key can be revoked'],
];

function life(given: Partial<KeyStatusFacts>): KeyStatusFacts {
  return { revokedAt: null, expiresAt: null, graceEndsAt: null, successorKeyId: null, pausedAt: null, ...given };
}

describe('the status of a key', () => {
  for (const [given, status, refusal, promise] of truthTable) {
    it(`${promise}: ${JSON.stringify(given)}`, () => {
      expect(keyStatus(life(given), NOW)).to.equal(status);
      expect(whyNotValid(life(given), NOW)).to.equal(refusal);
    });
  }

  const instant = fc.option(fc.nat({ max: 20 }));
  const anyLife = fc.record({
    revokedAt: instant,
    expiresAt: instant,
    graceEndsAt: instant,
    successorKeyId: fc.option(fc.constant('new')),
    pausedAt: instant,
  });

  it('is refused exactly when it is expired, revoked or paused, and for that reason', () => {
    fc.assert(
      fc.property(anyLife, fc.nat({ max: 20 }), (key, now) => {
        const status = keyStatus(key, now);
        expect(KEY_STATUSES).to.include(status);
        expect(whyNotValid(key, now)).to.equal(status === 'active' || status === 'rotating' ? undefined : status);
      }),
    );
  });

  it('never comes back to life as time passes', () => {
    fc.assert(
      fc.property(anyLife, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (key, now, wait) => {
        if (whyNotValid(key, now)) expect(whyNotValid(key, now + wait)).not.to.equal(undefined);
        if (whyNotValid(key, now) === 'revoked') expect(whyNotValid(key, now + wait)).to.equal('revoked');
      }),
    );
  });

  it('is invalid when the row lacks a column or holds an unreadable time', () => {
    const broken = [{}, { ...life({}), expiresAt: Number.NaN }, { ...life({}), graceEndsAt: undefined }];
    for (const key of broken)
      expect(whyNotValid(key as unknown as KeyStatusFacts, NOW), JSON.stringify(key)).to.be.a('string');
  });
});
