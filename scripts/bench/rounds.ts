import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerUnderTest } from './children.ts';
import type { Generator } from './load.ts';

/** A server under test, and the keys that it knows. */
export interface Subject {
  name: string;
  server: ServerUnderTest;
  keysFile: string;
}

/** What one run showed. */
export interface Sample {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time of the server for one request, with what it does about it afterwards. */
  cpuMicros: number;
  /** How much of their cores server and generator used. */
  serverBusy: number;
  generatorBusy: number;
  /** How long the server went on working after the last answer. */
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
  warmUpSeconds: number;
}

/**
 * Lets every server take its turn in every round, so that each ratio is of runs made within seconds of each other; the
 * order turns with the rounds, so that nobody is always behind the same neighbour.
 */
export async function inRounds(
  generator: Generator,
  subjects: readonly Subject[],
  { rounds, connections, seconds, warmUpSeconds }: Turns,
): Promise<Samples> {
  const samples: Samples = new Map(subjects.map(({ name }) => [name, []]));
  if (warmUpSeconds > 0) {
    for (const subject of subjects) await sample(generator, subject, connections, warmUpSeconds);
  }
  for (let round = 0; round < rounds; round++) {
    const turn = subjects.map((_, index) => subjects[(index + round) % subjects.length]);
    for (const subject of turn) {
      if (subject) samples.get(subject.name)?.push(await sample(generator, subject, connections, seconds));
    }
  }
  return samples;
}

/** One run, and then rest: nobody's afterwork falls into the next one's time. */
export async function sample(
  generator: Generator,
  { server, keysFile }: Subject,
  connections: number,
  seconds: number,
): Promise<Sample> {
  const began = { at: performance.now(), server: server.cpuSeconds(), generator: generator.cpuSeconds() };
  const outcome = await generator.run({ port: server.port, keysFile, connections, seconds });
  const lasted = (performance.now() - began.at) / 1000;
  const serverBusy = (server.cpuSeconds() - began.server) / lasted;
  const generatorBusy = (generator.cpuSeconds() - began.generator) / lasted;
  const afterSeconds = await untilIdle(server);
  return {
    perSecond: outcome.perSecond,
    p50Ms: outcome.p50Ms,
    p99Ms: outcome.p99Ms,
    cpuMicros: ((server.cpuSeconds() - began.server) / outcome.answered) * 1e6,
    serverBusy,
    generatorBusy,
    afterSeconds,
    rssMb: server.rssMb(),
  };
}

const LONGEST_AFTERWORK_MS = 3_000;
const LOOK_EVERY_MS = 50;

async function untilIdle(server: ServerUnderTest): Promise<number> {
  const began = performance.now();
  let idleSince = began;
  for (let used = server.cpuSeconds(); performance.now() - began < LONGEST_AFTERWORK_MS;) {
    await sleep(LOOK_EVERY_MS);
    const now = server.cpuSeconds();
    // The clock has ticks of 10 ms.
    if (now - used <= 0.01) break;
    used = now;
    idleSince = performance.now();
  }
  return (idleSince - began) / 1000;
}
