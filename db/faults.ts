import { isBusy } from './sqlite.ts';

const MYSQL_RETRYABLE = new Set([1213, 1205, 1180]);
const MYSQL_DUPLICATE = 1062;
const SQLITE_UNIQUE = new Set([2067, 1555]);

/** Faults that say nothing of the statement, only that the server cannot be asked now. */
const UNAVAILABLE = new Set([
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ER_CON_COUNT_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_SHUTDOWN',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_NO_SUCH_TABLE',
  'HANDSHAKE_NO_SSL_SUPPORT',
  'HANDSHAKE_SSL_ERROR',
]);

/**
 * Whether the whole transaction may be run again at once: deadlock, lock wait, a commit that Galera turned down. A busy
 * SQLite file is not among them, since its statements have waited for it already.
 */
export function isRetryable(error: unknown): boolean {
  return MYSQL_RETRYABLE.has(numberOf(error, 'errno'));
}

/** Whether a unique index refused the row. */
export function isDuplicate(error: unknown): boolean {
  return numberOf(error, 'errno') === MYSQL_DUPLICATE || SQLITE_UNIQUE.has(numberOf(error, 'sqliteExtendedCode'));
}

/** Whether the database is away, overloaded or not yet migrated, so that the request must be answered 503. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'KnexTimeoutError' || isBusy(error)) return true;
  return (
    UNAVAILABLE.has(faultCode(error)) ||
    /server is closed|connection is in closed state|no such table|Unable to acquire/i.test(error.message)
  );
}

/** The fault's code for a log line: messages of the driver hold bound values and are never logged. */
export function faultCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  for (const name of ['sqliteCodeName', 'code']) {
    const code: unknown = (error as unknown as Record<string, unknown>)[name];
    if (typeof code === 'string') return code;
  }
  return error.name;
}

function numberOf(error: unknown, name: string): number {
  const value: unknown = error instanceof Error ? (error as unknown as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' ? value : NaN;
}
