import type { ServerUnderTest } from './children.ts';
import type { Bench } from './context.ts';
import { startMachine } from './machineSpeed.ts';
import { sample, warm, type Sample } from './sample.ts';
import { steadyRounds } from './steadyRounds.ts';
import type { Subject } from './subjects.ts';

/** The runs of each server under each of its loads, round by round. */
export class Samples {
  readonly #rounds: readonly Turns[];

  constructor(rounds: readonly Turns[]) {
    this.#rounds = rounds;
  }

  /** The rounds of several, one after the other. */
  static together(parts: readonly Samples[]): Samples {
    return new Samples(parts.flatMap((part) => part.#rounds));
  }

  /** One figure of each round. */
  each(subject: string, load: string, figure: keyof Sample): number[] {
    return this.#rounds.map((turns) => turns.get(nameOf(subject, load))?.[figure] ?? NaN);
  }

  toJSON(): unknown {
    return this.#rounds.map((turns) => Object.fromEntries(turns));
  }
}

type Turns = Map<string, Sample>;
const nameOf = (subject: string, load: string) => `${subject}: ${load}`;

interface Ways {
  /** Done once in each round. */
  between?: () => Promise<void>;
  /** Whether servers are started once and paused between their turns, so that turns can be short and many. */
  paused?: boolean;
}

/**
 * Lets every server take its turn in every round: it is started, warmed up, put under each of its loads, and stopped before
 * the next one starts, since what else is in memory makes a server slower. The order turns with the rounds.
 */
export async function inRounds(
  bench: Bench,
  subjects: readonly Subject[],
  { between, paused = false }: Ways = {},
): Promise<{ samples: Samples; told: string }> {
  const machine = startMachine(bench.stores);
  const kept = new Map<Subject, ServerUnderTest>();
  for (const subject of paused ? subjects : []) {
    const server = await warmed(bench, subject);
    server.process.kill('SIGSTOP');
    kept.set(subject, server);
  }
  const { used, told } = await steadyRounds(bench.plan.rounds, async (round) => {
    const turns: Turns = new Map();
    const loopMs = [await machine.loopMs()];
    for (let place = 0; place < subjects.length; place++) {
      const subject = subjects[(place + round) % subjects.length];
      if (!subject) continue;
      const server = kept.get(subject) ?? (await warmed(bench, subject));
      if (paused) server.process.kill('SIGCONT');
      for (const load of subject.loads) {
        await machine.fill(load.connections > 1 && load.perSecond === undefined);
        turns.set(nameOf(subject.name, load.name), await sample(bench, subject, server, load));
        await machine.fill(false);
      }
      if (paused) server.process.kill('SIGSTOP');
      else await server.stop();
      loopMs.push(await machine.loopMs());
    }
    await between?.();
    return { loopMs, turns };
  });
  for (const server of kept.values()) await server.stop();
  await machine.stop();
  return { samples: new Samples(used.map(({ turns }) => turns)), told };
}

/** Starts a server and runs it under each kind of request until its code has been compiled. */
async function warmed(bench: Bench, subject: Subject): Promise<ServerUnderTest> {
  const server = await subject.start();
  const shapes = new Set<object>();
  for (const load of subject.loads) {
    if (shapes.has(load.shape)) continue;
    shapes.add(load.shape);
    await warm(bench, subject, server, load);
  }
  return server;
}
