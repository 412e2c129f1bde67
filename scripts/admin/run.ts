import { dataDirFault } from '../../app/dataDirFault.ts';
import { ConfigError, readConfig } from '../../app/config.ts';
import { AppError } from '../../app/errors.ts';
import { createLog } from '../../app/log.ts';
import { openServices, type Services } from '../../app/services.ts';
import { faultCode, isUnavailable } from '../../db/connection/faults.ts';
import { migrate, migrationState } from '../../db/migrate.ts';
import { Args } from './args.ts';
import type { Command, Result } from './command.ts';
import { textsIn } from '../../app/locales/texts.ts';
import { CommandError, UsageError } from './commandErrors.ts';
import { COMMANDS } from './commands.ts';
import { help } from './help.ts';

/** A log would mix with the command's output; faults are reported on their own. */
const NO_LOG = createLog('silent');

/** Where a run reads and writes. */
export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  readInput: () => Promise<string>;
  write: (line: string) => void;
  complain: (line: string) => void;
}

/** Runs one command of the operator's tool and gives the exit code: 0 done, 1 could not be done, 2 not understood. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  if (words.includes('--help') || words[0] === 'help') {
    terminal.write(help(COMMANDS));
    return 0;
  }
  try {
    const command = commandIn(words);
    const args = Args.of(command, words.slice(command.name.split(' ').length));
    const result = await perform(command, args, terminal);
    terminal.write(args.json ? JSON.stringify(result.json) : result.lines.join('\n'));
    return 0;
  } catch (error) {
    terminal.complain(complaint(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

function commandIn(words: readonly string[]): Command {
  const name = words.filter((word, at) => at < 2 && !word.startsWith('-')).join(' ');
  const found = COMMANDS.find((command) => name === command.name || name.startsWith(`${command.name} `));
  if (found && words[0]?.startsWith('-') === false) return found;
  throw new UsageError(`${name === '' ? 'No command was given' : `"${name}" is no command`}: --help lists them`);
}

async function perform(command: Command, args: Args, { env, readInput }: Terminal): Promise<Result> {
  const config = readConfig(env);
  try {
    const services = openServices(config, NO_LOG);
    try {
      if (!command.beforeMigration) await requireSchema(services);
      return await command.run({ services, now: Date.now(), readInput }, args);
    } finally {
      await services.close();
    }
  } catch (error) {
    const fault = dataDirFault(error, config);
    throw fault === undefined ? error : new CommandError(fault);
  }
}

/** As at the start of the server: a file is brought up to date on the way, a server by the release alone. */
async function requireSchema({ config, db }: Services): Promise<void> {
  if (config.database.kind === 'sqlite') await migrate(config.database);
  else if ((await migrationState(db)) === 'pending') {
    throw new ConfigError('The database is not migrated yet: run "npm run -s admin -- migrate"');
  }
}

/**
 * Describes a fault in one line; a driver's message may have the values of the statement, so only its code is shown.
 */
function complaint(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError || error instanceof ConfigError)
    return error.message;
  if (error instanceof AppError && error.status < 500) {
    const { problemText } = textsIn('en');
    return [
      problemText(error.problem),
      ...(error.errors ?? []).map((field) => `${field.path}: ${problemText(field.problem)}`),
    ].join(' ');
  }
  if (isUnavailable(error)) return `The database does not answer (${faultCode(error)})`;
  return `Something went wrong (${faultCode(error)})`;
}
