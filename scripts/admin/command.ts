import type { Services } from '../../app/services.ts';
import type { Args } from './args.ts';

/** One thing the operator's tool can do. */
export interface Command {
  /** Two words at most: `tenant create`. */
  name: string;
  about: string;
  /** What stands behind the name, such as the id of a key. */
  operand?: string;
  options: Readonly<Record<string, Option>>;
  /** Runs on an old schema too: true only for the one that renews it. */
  beforeMigration?: boolean;
  run(work: Workbench, args: Args): Promise<Result>;
}

/** An option; without a name for its value it is a mere flag. */
export interface Option {
  value?: string;
  required?: boolean;
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
