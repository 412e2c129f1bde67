import type { Db } from '../db/connection/connect.ts';
import { faultCode, isUnavailable } from '../db/connection/faults.ts';
import { migrate, migrationState } from '../db/migrate.ts';
import type { DatabaseConfig } from '../db/connection/settings.ts';
import type { Log } from './log.ts';
import { delay } from './timing.ts';

const RETRY_MS = 1_000;
/** A line for each change of the trouble, and a reminder this often. */
const REMINDER_MS = 30_000;

/** Returns once the schema is current or the process is told to stop; meanwhile health says 503 and the log says why. */
export async function waitForDatabase(db: Db, config: DatabaseConfig, log: Log, stop: AbortSignal): Promise<void> {
  let reported = '';
  let reportedAt = 0;
  while (!stop.aborted) {
    const trouble = await troubleWith(db, config, stop);
    if (trouble === undefined) return;
    if (trouble !== reported || Date.now() - reportedAt > REMINDER_MS) {
      log.warn(trouble);
      reported = trouble;
      reportedAt = Date.now();
    }
    await delay(RETRY_MS, stop);
  }
}

async function migrateUnlessStopped(config: DatabaseConfig, stop: AbortSignal): Promise<void> {
  try {
    await migrate(config, { stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

async function troubleWith(db: Db, config: DatabaseConfig, stop: AbortSignal): Promise<string | undefined> {
  try {
    // A file is this process's own to migrate; a server is migrated once, by the release.
    if (config.kind === 'sqlite') await migrateUnlessStopped(config, stop);
    if ((await migrationState(db)) === 'current') return undefined;
    return 'the database is not migrated yet: run "npm run -s admin -- migrate"; waiting';
  } catch (error) {
    const code = faultCode(error);
    const reason = REASONS[code];
    if (reason === undefined && !isUnavailable(error)) throw error;
    return `${reason ?? 'the database does not answer'} (${code}); trying again each second`;
  }
}

const TOO_MANY =
  'the database allows no more connections: another process has them, or DATABASE_CONNECTIONS is too high';
const REASONS: Record<string, string> = {
  SQLITE_FULL: 'the disk of DATA_DIR is full',
  SQLITE_IOERR: 'the disk of DATA_DIR cannot be read or written',
  SQLITE_READONLY: 'the database in DATA_DIR cannot be written',
  ER_CON_COUNT_ERROR: TOO_MANY,
  ER_TOO_MANY_USER_CONNECTIONS: TOO_MANY,
  ER_USER_LIMIT_REACHED: TOO_MANY,
  ENOTFOUND: 'the host of the database URL is not known',
  ER_ACCESS_DENIED_ERROR: 'the database refuses the user or password of its URL',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'the database refuses the user of its URL',
  ER_BAD_DB_ERROR: 'the server does not have the database that its URL names',
  ER_DBACCESS_DENIED_ERROR: 'the user of the database URL may not use that database',
  HANDSHAKE_NO_SSL_SUPPORT: 'the database offers no TLS, which its URL asks for',
  HANDSHAKE_SSL_ERROR: 'the database did not prove over TLS who it is',
};
