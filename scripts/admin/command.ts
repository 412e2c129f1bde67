import type { Services } from '../../app/services.ts';
import type { Args, TakesArgs } from './args.ts';

/** One thing the operator's tool can do. */
export interface Command extends TakesArgs {
  about: string;
  /** Runs on an old schema too: true only for the one that renews it. */
  beforeMigration?: boolean;
  run(work: Workbench, args: Args): Promise<Result>;
}

/** The services that a command uses. */
export interface Workbench {
  services: Services;
  now: number;
  /** Everything on standard input. */
  readInput: () => Promise<string>;
}

/** The output of a command: lines for a person, JSON for a script. */
export interface Result {
  lines: string[];
  json: unknown;
}
