import { once } from 'node:events';
import type { Child } from './children.ts';

/** One run of load against one server. */
export interface Load {
  port: number;
  /** One key a line; each request takes one of them at random. */
  keysFile: string;
  connections: number;
  seconds: number;
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
}

/** Has the generator run one load; an answer other than 200 means the figures would be of something else, and ends the bench. */
export async function run(generator: Child, load: Load): Promise<Outcome> {
  const answered = once(generator.process, 'message') as Promise<[{ outcome: Outcome } | { failed: string }]>;
  generator.process.send(load);
  const [message] = await answered;
  if ('failed' in message) throw new Error(`The load generator stopped: ${message.failed}`);
  const { outcome } = message;
  if (Object.keys(outcome.refused).length > 0) {
    throw new Error(`The server under test refused requests: ${JSON.stringify(outcome.refused)}`);
  }
  return outcome;
}
