import { mock } from 'node:test';
import { expect } from 'chai';
import { debounce, delay, limitTime, oncePerTurn, repeat, waitAtMost, withDeadline } from '../app/timing.ts';

describe('waiting', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('begins no round of repeated work before the one before has ended, however long that takes', async () => {
    const rounds: (() => void)[] = [];
    const repeated = repeat(60, async () => new Promise<void>((end) => rounds.push(end)));
    mock.timers.tick(60);
    expect(rounds).to.have.length(1);
    for (let i = 0; i < 5; i++) mock.timers.tick(60);
    await settled();
    expect(rounds).to.have.length(1);
    rounds[0]?.();
    await settled();
    mock.timers.tick(59);
    expect(rounds).to.have.length(1);
    mock.timers.tick(1);
    expect(rounds).to.have.length(2);
    rounds[1]?.();
    await repeated.stop();
  });

  it('waits for the running round of repeated work when it is stopped, and begins no other', async () => {
    let end: () => void = () => undefined;
    let rounds = 0;
    const repeated = repeat(60, async () => {
      rounds++;
      await new Promise<void>((resolve) => (end = resolve));
    });
    mock.timers.tick(60);
    let stopped = false;
    const stopping = repeated.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).to.equal(false);
    end();
    await stopping;
    mock.timers.tick(600);
    expect(rounds).to.equal(1);
  });

  it('does debounced work once for all who ask, at the time of the first, and again for who asks later', () => {
    let times = 0;
    const debounced = debounce(() => times++);
    debounced.schedule(10);
    mock.timers.tick(9);
    debounced.schedule(10);
    mock.timers.tick(1);
    expect(times).to.equal(1);
    debounced.schedule(10);
    debounced.cancel();
    mock.timers.tick(100);
    expect(times).to.equal(1);
    debounced.schedule(0);
    mock.timers.tick(0);
    expect(times).to.equal(2);
  });

  it('does once what a turn of the event loop asks for many times, and again for the next turn', async () => {
    let times = 0;
    const ask = oncePerTurn(() => times++);
    await Promise.all([ask(), ask(), ask()]);
    expect(times).to.equal(1);
    await ask();
    expect(times).to.equal(2);
  });

  it('rejects for all who asked in a turn when the work of that turn throws', async () => {
    const ask = oncePerTurn(() => {
      throw new Error('broken');
    });
    const answers = await Promise.allSettled([ask(), ask()]);
    expect(answers.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
  });

  it('ends a delay at once when it is told to stop, also before it began', async () => {
    const stop = new AbortController();
    const waiting = delay(1_000_000, stop.signal);
    stop.abort();
    await waiting;
    await delay(1_000_000, stop.signal);
  });

  it('waits for work no longer than it is given, and hears of its failure in time', async () => {
    const never = new Promise(() => undefined);
    const waiting = waitAtMost(40, never);
    for (let step = 0; step < 4; step++) mock.timers.tick(10);
    await waiting;
    await waitAtMost(50, Promise.resolve());
    expect(await failureOf(waitAtMost(50, Promise.reject(new Error('broken'))))).to.equal('broken');
  });

  it('gives an answer in time, and what it is told to where there is none', async () => {
    const late = () => new Error('late');
    expect(await withDeadline(50, Promise.resolve('here'), late)).to.equal('here');
    const answer = withDeadline(40, new Promise(() => undefined), late);
    for (let step = 0; step < 4; step++) mock.timers.tick(10);
    expect(await failureOf(answer)).to.equal('late');
  });

  it('counts a pause of the process as a quarter of a time limit at most, and reads what came in the last one', async () => {
    let late = 0;
    limitTime(40, () => late++);
    for (let pause = 0; pause < 3; pause++) mock.timers.tick(60_000);
    await settled();
    expect(late).to.equal(0);
    mock.timers.tick(10);
    expect(late).to.equal(0);
    await settled();
    expect(late).to.equal(1);
    const cancelled = limitTime(40, () => late++);
    for (let step = 0; step < 4; step++) mock.timers.tick(10);
    cancelled.cancel();
    await settled();
    expect(late).to.equal(1);
  });
});

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function failureOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
