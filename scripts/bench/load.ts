import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { ask, GENERATOR_CORE, start } from './children.ts';
import type { Shape } from './requests.ts';

/** One run of load against one server. */
export interface Load {
  port: number;
  shape: Shape;
  /** One key a line; each request takes one of them at random. */
  keysFile: string;
  connections: number;
  seconds: number;
  /** Requests are sent at this rate, whether or not earlier ones were answered; otherwise each answer brings the next. */
  perSecond?: number;
  /** How many different clients the requests say they come from, for a server behind a trusted proxy. */
  addresses?: number;
}

export interface Outcome {
  perSecond: number;
  answered: number;
  /** Answers by status that were not 200. */
  refused: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
}

export interface Generator {
  run(load: Load): Promise<Outcome>;
  /** Processor time used so far; NaN where it is not known. */
  cpuSeconds(): number;
}

/** A process on a core of its own that makes the load. */
export function startGenerator(log: string): Generator {
  const file = path.join(ROOT, 'dist/scripts/bench/generator.js');
  const child = start({ file, core: GENERATOR_CORE, log });
  return {
    cpuSeconds: () => child.cpuSeconds(),
    run: async (load) => {
      const message = await ask<{ outcome: Outcome } | { failed: string }>(child, load);
      if ('failed' in message) throw new Error(`the load generator stopped: ${message.failed}`);
      return only200(message.outcome, load);
    },
  };
}

/** An answer other than 200 means that the figures would be of something else. */
function only200(outcome: Outcome, { shape }: Load): Outcome {
  if (Object.keys(outcome.refused).length > 0) {
    throw new Error(`${shape.path} was refused: ${JSON.stringify(outcome.refused)}`);
  }
  return outcome;
}
