import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerUnderTest } from './children.ts';
import type { Bench } from './context.ts';
import type { Load, Outcome } from './load.ts';
import type { NamedLoad, Subject } from './subjects.ts';

/** What one run showed. */
export interface Sample {
  /** Processor time of the server for one request, with what it does about it afterwards. */
  cpuMicros: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  /** How late the thread that serves requests was. */
  stallP99Ms: number;
  stallMaxMs: number;
  /** The processor time of MariaDB for one request, and the statements that it was sent. */
  databaseMicros: number;
  statements: number;
  /** How much of their cores server and generator used. */
  serverBusy: number;
  generatorBusy: number;
  /** How long server and database went on working after the last answer. */
  afterSeconds: number;
  rssMb: number;
}

type Answered = Pick<Subject, 'answered'>;

const WARM_AFTER = 10_000;
const MOST_WARM_UPS = 2;

/** Runs a server under one kind of request until its code has been compiled. */
export async function warm(bench: Bench, subject: Answered, server: ServerUnderTest, load: NamedLoad): Promise<void> {
  const { shape, keysFile, connections } = load;
  const full = { shape, keysFile, connections, port: server.port, seconds: bench.plan.warmSeconds };
  for (let run = 0, answered = 0; run < MOST_WARM_UPS && answered < WARM_AFTER; run++) {
    answered += (await working(bench, server, full, subject)).answered;
  }
  await untilIdle(() => server.cpuSeconds());
}

/** One run, and what follows from it, so that it does not fall into the next run. */
export async function sample(
  bench: Bench,
  subject: Answered,
  server: ServerUnderTest,
  load: NamedLoad,
): Promise<Sample> {
  const { generator, stores } = bench;
  const others = () => ({ generator: generator.cpuSeconds(), database: stores.databaseCpuSeconds() });
  const asked = await stores.statements();
  const before = { ...others(), own: await server.report({ watch: load.connections > 1 }) };
  const began = performance.now();
  const outcome = await working(bench, server, { ...load, port: server.port }, subject);
  const lasted = (performance.now() - began) / 1000;
  const during = { ...others(), own: await server.report({ watch: false }) };
  const afterSeconds = await untilIdle(() => server.cpuSeconds() + (stores.databaseCpuSeconds() || 0));
  const after = { ...others(), own: await server.report({ watch: false }) };
  // The question how many there were is one of them.
  const statements = (await stores.statements()) - asked - 1;
  const each = (used: number) => (used / outcome.answered) * 1e6;
  const { perSecond, p50Ms, p99Ms, p999Ms } = outcome;
  return {
    cpuMicros: each(after.own.cpuSeconds - before.own.cpuSeconds),
    perSecond,
    p50Ms,
    p99Ms,
    p999Ms,
    stallP99Ms: during.own.stallP99Ms,
    stallMaxMs: during.own.stallMaxMs,
    databaseMicros: each(after.database - before.database),
    statements: statements / outcome.answered,
    serverBusy: (during.own.cpuSeconds - before.own.cpuSeconds) / lasted,
    generatorBusy: (during.generator - before.generator) / lasted,
    afterSeconds,
    rssMb: after.own.rssMb,
  };
}

/** How much of the time under full load a server should have worked, and how often the load is made longer for that. */
const SHARE_AT_WORK = 0.7;
const MOST_REPEATS = 3;

/**
 * Puts a server under a load; where others are at work on the machine, again, until it has worked for most of the seconds
 * that it has. Of several runs the rates and times are those of the last one.
 */
async function working({ generator }: Bench, server: ServerUnderTest, load: Load, subject: Answered): Promise<Outcome> {
  const isFull = load.connections > 1 && load.perSecond === undefined;
  const began = server.cpuSeconds();
  let answered = 0;
  for (let run = 1; ; run++) {
    const outcome = await generator.run(load);
    answered += outcome.answered;
    subject.answered += outcome.answered;
    const isEnough = server.cpuSeconds() - began >= load.seconds * SHARE_AT_WORK;
    if (!isFull || isEnough || run === MOST_REPEATS) return { ...outcome, answered };
  }
}

const LONGEST_IDLE_WAIT_MS = 3_000;
const LOOK_EVERY_MS = 60;
/** The system counts in ticks of 10 ms, and a process at rest may cross one. */
const AT_REST_SECONDS = 0.011;

async function untilIdle(cpuSeconds: () => number): Promise<number> {
  const began = performance.now();
  let lastBusy = began;
  for (let used = cpuSeconds(); performance.now() - began < LONGEST_IDLE_WAIT_MS;) {
    await sleep(LOOK_EVERY_MS);
    const now = cpuSeconds();
    if (!(now - used > AT_REST_SECONDS)) break;
    used = now;
    lastBusy = performance.now();
  }
  return (lastBusy - began) / 1000;
}
