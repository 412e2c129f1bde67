import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { AppError } from '../../app/errors.ts';
import { LocalCounter } from '../../app/limits/localCounter.ts';
import { loginThrottle } from '../../app/limits/loginThrottle.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';

const ANN = { email: 'ann@example.com', address: '192.0.2.1' };

describe('a spent limit of logins', () => {
  it('opens when Retry-After said, however often it was tried meanwhile', async () => {
    const counters = {
      accounts: new LocalCounter('account'),
      devices: new LocalCounter('device'),
      addresses: new LocalCounter('address'),
    };
    const throttle = loginThrottle({ limit: 2, windowSeconds: 1 }, counters);
    const attempt = async (found: string | undefined) =>
      throttle.attempt(ANN, async () => found).catch((error: unknown) => error);

    const started = performance.now();
    for (let n = 0; n < 2; n++) expect(await attempt(undefined)).to.equal(undefined);
    let answer = await attempt('in');
    expect(answer).to.be.instanceOf(AppError).with.nested.include({ code: 'rate_limited', 'headers.Retry-After': '1' });
    while (answer !== 'in') {
      await delay(10);
      answer = await attempt('in');
    }
    expect(performance.now() - started).to.be.within(990, 3_000 + BUSY_MACHINE_MS);
  });
});
