const MYSQL_LOCK_TIMEOUT = 1205;
const MYSQL_RETRYABLE = new Set([1213, MYSQL_LOCK_TIMEOUT, 1180]);
const MYSQL_DUPLICATE = 1062;
const SQLITE_UNIQUE = new Set([2067, 1555]);

/** Classes of SQLSTATE that are about the values of a statement: how many there are, what they are, what constrains them. */
const MYSQL_REFUSED_STATES = new Set(['21', '22', '23']);
/** The same where a server gives it no such class: syntax, truncation, no default, wrong text, checks, JSON of MariaDB. */
const MYSQL_REFUSED = new Set([1064, 1149, 1265, 1300, 1364, 1366, 3819, 3988, 4035, 4036, 4037, 4038, 4039, 4040]);

const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** Too big, a constraint, a mismatch of types, misuse of the driver, a binding too many. */
const SQLITE_REFUSED = new Set([18, 19, 20, 21, 25]);
/** SQLite has one code for all that is wrong with a statement; these are about the schema or the transaction instead. */
const NOT_OF_THE_STATEMENT = /no such (table|column|index)|has no column named|transaction/i;
/** For some statements its driver gives no code at all. */
const REFUSED_WITHOUT_CODE = /JSON|syntax error|constraint failed|datatype mismatch|too big/i;

/** The system's codes for a connection that failed or ended. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * Whether the whole transaction may be run again at once: deadlock, lock wait, a commit that Galera turned down. A busy
 * SQLite file is not among them, since its statements have waited for it already.
 */
export function isRetryable(error: unknown): boolean {
  return MYSQL_RETRYABLE.has(numberOf(error, 'errno'));
}

/** Whether the statement waited in vain for a row that another transaction holds. */
export function isLockTimeout(error: unknown): boolean {
  return numberOf(error, 'errno') === MYSQL_LOCK_TIMEOUT;
}

/** Whether a unique index refused the row. */
export function isDuplicate(error: unknown): boolean {
  return numberOf(error, 'errno') === MYSQL_DUPLICATE || SQLITE_UNIQUE.has(numberOf(error, 'sqliteExtendedCode'));
}

/**
 * Whether the database refused a statement for its content: a constraint, a value that does not fit, syntax or JSON.
 * The same statement would be refused at any time.
 */
export function isRefused(error: unknown): boolean {
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) {
    const { message } = error as Error;
    if (Number.isNaN(sqlite)) return REFUSED_WITHOUT_CODE.test(message);
    return SQLITE_REFUSED.has(sqlite) || (sqlite === SQLITE_ERROR && !NOT_OF_THE_STATEMENT.test(message));
  }
  const state = textOf(error, 'sqlState') ?? '';
  return MYSQL_REFUSED_STATES.has(state.slice(0, 2)) || MYSQL_REFUSED.has(numberOf(error, 'errno'));
}

/**
 * Whether the database cannot do now what it could at another time, so that the answer is 503: it is away, overloaded,
 * full, read-only, over a limit of its account, not yet migrated, or has an unknown fault. Faults outside the database
 * and its driver are not among these.
 */
export function isUnavailable(error: unknown): boolean {
  // A file that is no database does not become one.
  return isOfDatabase(error) && !isRefused(error) && !isNoDatabase(error);
}

/** Whether the file is something other than a database of SQLite. */
export function isNoDatabase(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_NOTADB;
}

/** Whether the database's file is damaged. */
export function isDamagedFile(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_CORRUPT;
}

/** Whether the statement collided with another transaction, which says nothing about the database's state. */
export function isContention(error: unknown): boolean {
  return isRetryable(error) || sqliteCode(error) === SQLITE_BUSY;
}

function isOfDatabase(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'KnexTimeoutError' || sqliteCode(error) !== undefined) return true;
  if (textOf(error, 'sqlState') !== undefined || ('fatal' in error && error.fatal === true)) return true;
  const code = faultCode(error);
  return (
    NETWORK.has(code) ||
    /^(ER|PROTOCOL|HANDSHAKE)_/.test(code) ||
    /server is closed|connection is in closed state|Unable to acquire/i.test(error.message)
  );
}

/** SQLite's code without the details of the extended one; NaN where its driver gives none, undefined for other faults. */
function sqliteCode(error: unknown): number | undefined {
  if (textOf(error, 'code') !== 'ERR_SQLITE_ERROR' && Number.isNaN(numberOf(error, 'sqliteCode'))) return undefined;
  const code = numberOf(error, 'sqliteCode');
  return Number.isNaN(code) ? code : code & 0xff;
}

/** The fault's code for a log line: messages of the driver hold bound values and are never logged. */
export function faultCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = textOf(error, 'sqliteCodeName') ?? textOf(error, 'code');
  if (code !== undefined) return code;
  // The driver has no name for some faults of a server.
  const number = numberOf(error, 'errno');
  return Number.isNaN(number) ? error.name : `ER_${number}`;
}

function textOf(error: unknown, name: string): string | undefined {
  const value: unknown = error instanceof Error ? (error as unknown as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function numberOf(error: unknown, name: string): number {
  const value: unknown = error instanceof Error ? (error as unknown as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' ? value : NaN;
}
