import { expect } from 'chai';
import { AppError } from '../../app/errors.ts';
import { AddressCounter } from '../../app/limits/callerAddress.ts';
import { LocalCounter } from '../../app/limits/localCounter.ts';
import { loginThrottle, type Attempt, type LoginThrottle } from '../../app/limits/loginThrottle.ts';

const ANN = { email: 'ann@example.com', address: '192.0.2.1' };

const fail = async (throttle: LoginThrottle, who: Attempt) => throttle.attempt(who, async () => undefined);
const succeed = async (throttle: LoginThrottle, who: Attempt) => throttle.attempt(who, async () => 'in');

async function refusal(attempt: Promise<unknown>): Promise<AppError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error('the attempt was let through');
  return error;
}

describe('throttled logins', () => {
  const counters = () => ({
    accounts: new LocalCounter('account'),
    devices: new LocalCounter('device'),
    addresses: new AddressCounter(new LocalCounter('address')),
  });
  let throttle: LoginThrottle;
  beforeEach(() => {
    throttle = loginThrottle({ limit: 3, windowSeconds: 60 }, counters());
  });

  it('are refused with 429 once an account has failed so often, from wherever it is tried', async () => {
    for (let n = 1; n <= 3; n++) await fail(throttle, { ...ANN, address: `192.0.2.${n}` });
    const error = await refusal(succeed(throttle, { email: ' ANN@Example.com', address: '192.0.2.9' }));
    expect(error.code).to.equal('rate_limited');
    expect(await succeed(throttle, { email: 'bob@example.com', address: '192.0.2.1' })).to.equal('in');
  });

  it('are refused once an address has failed so often, whoever it tries to be', async () => {
    for (let n = 1; n <= 3; n++) await fail(throttle, { ...ANN, email: `u${n}@example.com` });
    expect((await refusal(succeed(throttle, { ...ANN, email: 'bob@example.com' }))).status).to.equal(429);
    expect(await succeed(throttle, { email: 'bob@example.com', address: '192.0.2.2' })).to.equal('in');
  });

  it('count a whole /64 of IPv6 as one address', async () => {
    for (let n = 1; n <= 3; n++) await fail(throttle, { email: `u${n}@example.com`, address: `2001:db8::${n}` });
    await refusal(succeed(throttle, { ...ANN, address: '2001:db8::ffff:1:2' }));
    expect(await succeed(throttle, { ...ANN, address: '2001:db8:0:1::1' })).to.equal('in');
  });

  it('count a /48 of IPv6 as ten addresses, however many networks its owner uses', async () => {
    const from = (network: number) => ({ email: `u${network}@example.com`, address: `2001:db8:0:${network}::1` });
    for (let n = 10; n < 20; n++) for (let times = 0; times < 3; times++) await fail(throttle, from(n));
    await refusal(succeed(throttle, from(77)));
    expect(await succeed(throttle, { ...ANN, address: '2001:db8:1::1' })).to.equal('in');
  });

  it('of one /64 are not more than one caller’s of its /48', async () => {
    const from = (network: number) => ({ ...ANN, address: `2001:db8:0:${network}::1` });
    for (let n = 0; n < 100; n++) await fail(throttle, from(1)).catch(() => undefined);
    expect(await succeed(throttle, { ...from(2), email: 'bob@example.com' })).to.equal('in');
  });

  it('of a device that signed in before count for it alone, and others’ do not count for it', async () => {
    const device = { ...ANN, device: 'hers' };
    for (let n = 1; n <= 3; n++) await fail(throttle, { ...ANN, address: `192.0.2.${n}` });
    await refusal(succeed(throttle, ANN));
    expect(await succeed(throttle, device)).to.equal('in');
    for (let n = 1; n <= 3; n++) await fail(throttle, device);
    await refusal(succeed(throttle, device));
    expect(await succeed(throttle, { ...ANN, device: 'his' })).to.equal('in');
  });

  it('never count when they succeed', async () => {
    for (let n = 0; n < 20; n++) expect(await succeed(throttle, ANN)).to.equal('in');
  });

  it('do not count when they could not be decided', async () => {
    const broken = async () => throttle.attempt(ANN, async () => Promise.reject(new Error('database away')));
    for (let n = 0; n < 5; n++) expect(await broken().catch((error: unknown) => error)).to.be.an('error');
    expect(await succeed(throttle, ANN)).to.equal('in');
  });

  it('are counted before they are decided, so that guesses sent at once are not all the first', async () => {
    let tried = 0;
    const attempts = Array.from({ length: 10 }, async () =>
      throttle.attempt(ANN, async () => {
        tried++;
        await new Promise((resolve) => setImmediate(resolve));
        return undefined;
      }),
    );
    await Promise.allSettled(attempts);
    expect(tried).to.equal(3);
  });

  it('say in Retry-After how many seconds are left of the window', async () => {
    for (let n = 0; n < 3; n++) await fail(throttle, ANN);
    expect(Number((await refusal(fail(throttle, ANN))).headers['Retry-After'])).to.be.within(1, 60);
  });

  it('are not limited where LOGIN_LIMIT is off', async () => {
    const open = loginThrottle(undefined, counters());
    for (let n = 0; n < 50; n++) await fail(open, ANN);
    expect(await succeed(open, ANN)).to.equal('in');
  });
});
