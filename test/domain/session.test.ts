import { expect } from 'chai';
import { IDLE_MS, isOpen, LIFETIME_MS } from '../../app/domain/session.ts';

describe('a session', () => {
  const start = 1_000_000;
  const times = { lastSeenAt: start, expiresAt: start + LIFETIME_MS };

  it('stays open while it is used, half an hour at a time', () => {
    expect(isOpen(times, start + IDLE_MS - 1)).to.equal(true);
    expect(isOpen(times, start + IDLE_MS)).to.equal(false);
  });

  it('ends after twelve hours however much it is used', () => {
    const late = { ...times, lastSeenAt: start + LIFETIME_MS - 1 };
    expect(isOpen(late, start + LIFETIME_MS - 1)).to.equal(true);
    expect(isOpen(late, start + LIFETIME_MS)).to.equal(false);
  });
});
