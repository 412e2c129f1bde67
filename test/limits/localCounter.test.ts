import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { rateHeaders, rateLimited, type Counter } from '../../app/limits/count.ts';
import { LocalCounter } from '../../app/limits/localCounter.ts';

const HOUR = { limit: 3, windowSeconds: 3600 };

describe('limits counted in this process', () => {
  let counter: Counter;
  beforeEach(() => {
    counter = new LocalCounter('test');
  });

  const take = async (times: number, id = 'somebody', rate = HOUR) => {
    const counts = [];
    for (let n = 0; n < times; n++) counts.push(await counter.take(id, rate));
    return counts;
  };
  const verdicts = async (times: number, id?: string, rate?: typeof HOUR) =>
    (await take(times, id, rate)).map(({ allowed }) => allowed);

  it('allow as many as the rate says, and say how many are left', async () => {
    const counts = await take(5);
    expect(counts.map(({ allowed, remaining }) => [allowed, remaining])).to.deep.equal([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
  });

  it('count requests that come at once one by one', async () => {
    const counts = await Promise.all(Array.from({ length: 10 }, async () => counter.take('somebody', HOUR)));
    expect(counts.filter(({ allowed }) => allowed)).to.have.length(3);
  });

  it('count each rate by itself, so that a change holds at once', async () => {
    expect(await verdicts(4)).to.deep.equal([true, true, true, false]);
    expect(await verdicts(2, 'somebody', { ...HOUR, limit: 1 })).to.deep.equal([true, false]);
    expect(await verdicts(2, 'somebody', { ...HOUR, limit: 9 })).to.deep.equal([true, true]);
    expect(await verdicts(1)).to.deep.equal([false]);
  });

  it('say when the window ends, in whole seconds of at least 1', async () => {
    const [first] = await take(1);
    const [last] = await take(1, 'hasty', { limit: 1, windowSeconds: 1 });
    if (!first || !last) throw new Error('nothing was counted');
    expect(rateHeaders(first)).to.include({ 'RateLimit-Policy': '"test";q=3;w=3600', RateLimit: '"test";r=2;t=3600' });
    await delay(last.reset * 1000 - Date.now() + 10);
    expect(rateLimited(last).headers).to.include({ 'Retry-After': '1' });
    expect((await take(1, 'hasty', { limit: 1, windowSeconds: 1 }))[0]).to.include({ allowed: true });
  });

  it('let what is given back not have counted', async () => {
    for (let n = 0; n < 20; n++) {
      const count = await counter.take('somebody', HOUR);
      expect(count).to.include({ allowed: true, remaining: 2 });
      await counter.giveBack(count);
    }
    const [first] = await take(4);
    if (!first) throw new Error('nothing was counted');
    await counter.giveBack(first);
    expect(await verdicts(2), 'after a refusal').to.deep.equal([true, false]);
  });

  it('give nothing back to a later window', async () => {
    const rate = { limit: 1, windowSeconds: 1 };
    const count = await counter.take('somebody', rate);
    await delay(count.reset * 1000 - Date.now() + 10);
    expect(await verdicts(1, 'somebody', rate)).to.deep.equal([true]);
    await counter.giveBack(count);
    expect(await verdicts(1, 'somebody', rate)).to.deep.equal([false]);
  });

  it('take a cost whole or not at all, and can be asked without counting', async () => {
    const local = new LocalCounter('test');
    const of = ({ allowed, remaining }: { allowed: boolean; remaining: number }) => [allowed, remaining];
    const rate = { limit: 10, windowSeconds: 3600 };
    expect(of(local.peek('somebody', rate, 10))).to.deep.equal([true, 10]);
    expect(of(local.peek('somebody', rate, 11))).to.deep.equal([false, 10]);
    expect(of(local.takeCost('somebody', rate, 11))).to.deep.equal([false, 10]);
    expect(of(local.takeCost('somebody', rate, 4))).to.deep.equal([true, 6]);
    expect(of(local.takeCost('somebody', rate, 7))).to.deep.equal([false, 6]);
    expect(of(local.take('somebody', rate))).to.deep.equal([true, 5]);
    expect(of(local.takeCost('somebody', rate, 5))).to.deep.equal([true, 0]);
    expect(of(local.takeCost('somebody', rate, 1))).to.deep.equal([false, 0]);
    expect(of(local.peek('somebody', rate, 1))).to.deep.equal([false, 0]);
    expect(of(local.takeCost('another', rate, 10))).to.deep.equal([true, 0]);
  });

  it('keep 100,000 addresses within a few MB, and whoever keeps coming refused', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await take(4, 'nuisance');
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 100_000; n++) {
      await counter.take(`2001:db8:${(n >> 8).toString(16)}:${(n & 255).toString(16)}::/64`, HOUR);
      if (n % 10_000 === 0) expect(await verdicts(1, 'nuisance')).to.deep.equal([false]);
    }
    collect();
    expect((process.memoryUsage().heapUsed - before) / 2 ** 20).to.be.below(8);
    expect(await verdicts(1, 'nuisance')).to.deep.equal([false]);
  });
});
