import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerUnderTest } from './children.ts';
import type { Bench } from './context.ts';

/** A server under test, and the keys that it knows. */
export interface Subject {
  name: string;
  server: ServerUnderTest;
  keysFile: string;
  /** What it has answered so far, warm-ups included. */
  answered: number;
}

/** What one run showed. */
export interface Sample {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time of the server for one request, with what it does about it afterwards. */
  cpuMicros: number;
  /** The processor time of MariaDB, for whichever subject it worked. */
  databaseMicros: number;
  /** Statements that MariaDB was sent for one request. */
  statements: number;
  /** How much of their cores server and generator used. */
  serverBusy: number;
  generatorBusy: number;
  /** How long server and database went on working after the last answer. */
  afterSeconds: number;
  rssMb: number;
}

/** The runs of each server, by its name. */
export type Samples = Map<string, Sample[]>;

/** One figure of each run. */
export function each(samples: readonly Sample[] | undefined, of: keyof Sample): number[] {
  return (samples ?? []).map((sample) => sample[of]);
}

export interface Turns {
  rounds: number;
  connections: number;
  seconds: number;
  /** Whether the servers are new, and have yet to be compiled as they run. */
  warmUp: boolean;
}

/**
 * Lets every server take its turn in every round, so that each ratio is of runs made within seconds of each other; the
 * order turns with the rounds, so that nobody is always behind the same neighbour.
 */
export async function inRounds(
  bench: Bench,
  subjects: readonly Subject[],
  { rounds, connections, seconds, warmUp }: Turns,
): Promise<Samples> {
  const samples: Samples = new Map(subjects.map(({ name }) => [name, []]));
  if (warmUp) for (const subject of subjects) await warm(bench, subject, connections);
  for (let round = 0; round < rounds; round++) {
    const turn = subjects.map((_, index) => subjects[(index + round) % subjects.length]);
    for (const subject of turn) {
      if (subject) samples.get(subject.name)?.push(await sample(bench, subject, connections, seconds));
    }
  }
  return samples;
}

const WARM_AFTER = 30_000;
const WARM_UP_RUNS = 5;

/** Runs a server until its code has been compiled, or, where that takes too long, for a while. */
export async function warm(bench: Bench, subject: Subject, connections: number): Promise<void> {
  for (let run = 0; run < WARM_UP_RUNS && subject.answered < WARM_AFTER; run++) {
    await sample(bench, subject, connections, bench.plan.seconds / 2);
  }
}

/** One run and a pause, so that work left over from it does not fall into the next run. */
export async function sample(
  { generator, stores }: Bench,
  subject: Subject,
  connections: number,
  seconds: number,
): Promise<Sample> {
  const { server, keysFile } = subject;
  const cpu = () => ({
    server: server.cpuSeconds(),
    generator: generator.cpuSeconds(),
    database: stores.databaseCpuSeconds(),
  });
  const asked = await stores.statements();
  const before = cpu();
  const began = performance.now();
  const outcome = await generator.run({ port: server.port, keysFile, connections, seconds });
  const lasted = (performance.now() - began) / 1000;
  subject.answered += outcome.answered;
  const during = cpu();
  const afterSeconds = await untilIdle(() => server.cpuSeconds() + (stores.databaseCpuSeconds() || 0));
  const after = cpu();
  // The question how many there were is one of them.
  const statements = (await stores.statements()) - asked - 1;
  const each = (used: number) => (used / outcome.answered) * 1e6;
  return {
    perSecond: outcome.perSecond,
    p50Ms: outcome.p50Ms,
    p99Ms: outcome.p99Ms,
    cpuMicros: each(after.server - before.server),
    databaseMicros: each(after.database - before.database),
    statements: statements / outcome.answered,
    serverBusy: (during.server - before.server) / lasted,
    generatorBusy: (during.generator - before.generator) / lasted,
    afterSeconds,
    rssMb: server.rssMb(),
  };
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
