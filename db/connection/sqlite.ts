import {
  DatabaseSync,
  type DatabaseSyncInstance as Connection,
  type StatementSyncInstance as Statement,
} from '@photostructure/sqlite';
import { delay, limitTime, nextTurn, type TimeLimit } from '../../app/timing.ts';
import type { SqlValue } from './rawDb.ts';

const SQLITE_BUSY = 5;
/** How long a statement waits for another process's write, asynchronously, before it gives up. */
const BUSY_DEADLINE_MS = 2_000;
/** How long it waits between two tries at the most; at first it tries each millisecond. */
const LONGEST_WAIT_MS = 10;
/** After a statement that took this long, other events of the process get a turn first. */
const LONG_MS = 3;

/** How a connection treats the locks and the write-ahead log of a file. */
export interface SqliteBehaviour {
  /** How long a statement blocks its thread while another connection writes. */
  busyTimeoutMs: number;
  /** With how many pages in the write-ahead log a commit copies them into the file, which takes many milliseconds. */
  checkpointPages: number;
  /** How much of the file is kept in memory, in KiB. */
  cacheKib: number;
}

/** A thread that serves requests waits for others without blocking, and leaves the log to who writes uses unless it grows. */
export const REQUEST_THREAD: SqliteBehaviour = { busyTimeoutMs: 0, checkpointPages: 16_000, cacheKib: 2_000 };
/** The thread that writes uses blocks for moments only: waiting for one file, it could not end its transaction in another. */
export const WRITER_THREAD: SqliteBehaviour = { busyTimeoutMs: 10, checkpointPages: 4_000, cacheKib: 8_000 };
/** Reading alone meets no lock but while the file is opened or given up by another process. */
const READ_ONLY: SqliteBehaviour = { busyTimeoutMs: 50, checkpointPages: 4_000, cacheKib: 2_000 };

/** Opens the file with WAL and foreign keys. */
export function openSqlite(file: string, { busyTimeoutMs, checkpointPages, cacheKib } = READ_ONLY): Connection {
  const connection = new DatabaseSync(file);
  connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA cache_size = -${cacheKib}; PRAGMA foreign_keys = ON`);
  // Pages that are written again and again go into the file once for many times.
  connection.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpointPages}`,
  );
  return connection;
}

/** Opens the file as `openSqlite` does, and waits without blocking while another process gives it up. */
export async function openSqliteWhenFree(file: string, behaviour: SqliteBehaviour): Promise<Connection> {
  return retryWhileBusy(() => openSqlite(file, behaviour));
}

/** Closes a connection, with the write-ahead log copied into the file where nobody else reads it. */
export function closeSqlite(connection: Connection): void {
  try {
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // Another process still reads; the last one to close truncates the write-ahead log.
  }
  connection.close();
}

/**
 * Runs a statement once no other connection is in its way: it gives rows, or the result of a change. Where there are
 * `rows` to write it runs once for each of them.
 */
export async function runStatement(
  connection: Connection,
  sql: string,
  values: readonly (string | number | null | Uint8Array)[],
  rows?: readonly (readonly SqlValue[])[],
): Promise<{ rows?: unknown[]; result?: ReturnType<Statement['run']> }> {
  values.forEach(refuseNul);
  let began = 0;
  const answer = await retryWhileBusy(() => {
    began = performance.now();
    const statement = prepared(connection, sql);
    if (rows) return { result: runForEach(connection, statement, rows) };
    if (statement.columns().length > 0) return { rows: statement.all(...values).map(withBuffers) };
    return { result: statement.run(...values) };
  });
  if (performance.now() - began > LONG_MS) await nextTurn();
  return answer;
}

/** The driver would end the text at its NUL, and find `acme` where it was asked for more. */
function refuseNul(binding: unknown): void {
  if (typeof binding === 'string' && binding.includes('\0')) throw new Error('a text with a NUL cannot be bound');
}

/** Runs a statement once for each row, in the transaction that is open or in one of its own. */
function runForEach(connection: Connection, statement: Statement, rows: readonly (readonly SqlValue[])[]) {
  const isAlone = !isInTransaction(connection);
  if (isAlone) connection.exec('BEGIN IMMEDIATE');
  try {
    for (const values of rows) statement.run(...values);
    if (isAlone) connection.exec('COMMIT');
    return { changes: rows.length, lastInsertRowid: 0 };
  } catch (error) {
    // A full disk has undone it already.
    if (isAlone && isInTransaction(connection)) connection.exec('ROLLBACK');
    throw error;
  }
}

const isInTransaction = (connection: Connection) => connection.isTransaction;

/** Statements are prepared once a connection; Knex clones its client per transaction, so they are kept beside it. */
const statements = new WeakMap<Connection, Map<string, Statement>>();
const KEPT_STATEMENTS = 200;

function prepared(connection: Connection, sql: string): Statement {
  let known = statements.get(connection);
  if (!known) statements.set(connection, (known = new Map<string, Statement>()));
  let statement = known.get(sql);
  if (!statement) {
    if (known.size >= KEPT_STATEMENTS) known.clear();
    known.set(sql, (statement = connection.prepare(sql)));
  }
  return statement;
}

/** Only BEGIN IMMEDIATE and statements outside transactions can meet a busy file, so trying again is always safe. */
async function retryWhileBusy<T>(attempt: () => T): Promise<T> {
  let isLate = false as boolean;
  let limit: TimeLimit | undefined;
  try {
    for (let wait = 1; ; wait = Math.min(wait * 1.2, LONGEST_WAIT_MS)) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || isLate) throw error;
        limit ??= limitTime(BUSY_DEADLINE_MS, () => (isLate = true));
        await delay(wait);
      }
    }
  } finally {
    limit?.cancel();
  }
}

/**
 * Whether SQLite refused because another connection holds the lock. Of a statement that gives rows the driver passes on the
 * message alone, without the code.
 */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('sqliteCode' in error) return (Number(error.sqliteCode) & 0xff) === SQLITE_BUSY;
  return 'code' in error && error.code === 'ERR_SQLITE_ERROR' && error.message === 'database is locked';
}

function withBuffers(row: unknown): unknown {
  const fields = row as Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    if (value instanceof Uint8Array) fields[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return fields;
}
