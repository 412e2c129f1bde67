import type { Services } from '../../app/services.ts';
import type { Args, TakesArgs } from './args.ts';

/** One thing the operator's tool can do. */
export interface Command extends TakesArgs {
  about: string;
  /** Runs on an old schema too: true only for the one that renews it. */
  beforeMigration?: boolean;
  run(work: Workbench, args: Args): Promise<Result>;
}

/** What a command works with. */
export interface Workbench {
  services: Services;
  now: number;
  /** Everything on standard input. */
  readInput: () => Promise<string>;
}

/** What a command says: to a person as lines, to a script as JSON. */
export interface Result {
  lines: string[];
  json: unknown;
}
