import {
  DatabaseSync,
  type DatabaseSyncInstance as Connection,
  type StatementSyncInstance as Statement,
} from '@photostructure/sqlite';
import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3/index.js';
import { delay, nextTurn } from '../../app/timing.ts';

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
export const OF_REQUESTS: SqliteBehaviour = { busyTimeoutMs: 0, checkpointPages: 16_000, cacheKib: 2_000 };
/** It blocks for moments only: of two files' transactions in its thread, each would hold up the other. */
export const OF_WRITER: SqliteBehaviour = { busyTimeoutMs: 10, checkpointPages: 4_000, cacheKib: 8_000 };
/** Reading alone meets no lock but while the file is opened or given up by another process. */
const OF_READERS: SqliteBehaviour = { busyTimeoutMs: 50, checkpointPages: 4_000, cacheKib: 2_000 };

/** Opens the file with WAL and foreign keys. */
export function openSqlite(file: string, { busyTimeoutMs, checkpointPages, cacheKib } = OF_READERS): Connection {
  const connection = new DatabaseSync(file);
  connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA cache_size = -${cacheKib}; PRAGMA foreign_keys = ON`);
  // Pages that are written again and again go into the file once for many times.
  connection.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpointPages}`,
  );
  return connection;
}

/** Knex's SQLite dialect over the prebuilt driver. */
export class SqliteClient extends BetterSqlite3Client {
  _driver(): typeof DatabaseSync {
    return DatabaseSync;
  }

  override async acquireRawConnection(): Promise<Connection> {
    const { filename, ...behaviour } = this.connectionSettings;
    return retryWhileBusy(() => openSqlite(filename, behaviour));
  }

  override async destroyRawConnection(connection: Connection): Promise<void> {
    try {
      connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process still reads; the last one to close truncates the write-ahead log.
    }
    connection.close();
  }

  async _query(connection: Connection, query: KnexQuery): Promise<KnexQuery> {
    // A deferred transaction that writes late cannot be retried half-way: take the write lock at once.
    const sql = query.sql === 'BEGIN;' ? 'BEGIN IMMEDIATE' : query.sql;
    // A full disk has undone the transaction already; a complaint about that would hide what went wrong.
    if (sql === 'ROLLBACK' && !connection.isTransaction) return Object.assign(query, { response: [], context: {} });
    const bindings = this._formatBindings(query.bindings) as (string | number | null | Uint8Array)[];
    bindings.forEach(refuseNul);
    let began = 0;
    const rows = query.options?.['rows'] as Values[] | undefined;
    await retryWhileBusy(() => {
      began = performance.now();
      const statement = prepared(connection, sql);
      if (rows) {
        runForEach(connection, statement, rows);
        query.response = { changes: rows.length };
      } else if (statement.columns().length > 0) {
        query.response = statement.all(...bindings).map(withBuffers);
      } else {
        const result = statement.run(...bindings);
        query.response = result;
        query.context = { lastID: result.lastInsertRowid, changes: result.changes };
      }
    });
    if (performance.now() - began > LONG_MS) await nextTurn();
    return query;
  }
}

/** The driver would end the text at its NUL, and find `acme` where it was asked for more. */
function refuseNul(binding: unknown): void {
  if (typeof binding === 'string' && binding.includes('\0')) throw new Error('a text with a NUL cannot be bound');
}

type Values = (string | number | null)[];

/** Runs a statement once for each row, in the transaction that is open or in one of its own. */
function runForEach(connection: Connection, statement: Statement, rows: readonly Values[]): void {
  const isAlone = !isInTransaction(connection);
  if (isAlone) connection.exec('BEGIN IMMEDIATE');
  try {
    for (const values of rows) statement.run(...values);
    if (isAlone) connection.exec('COMMIT');
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
  const deadline = Date.now() + BUSY_DEADLINE_MS;
  for (let wait = 1; ; wait = Math.min(wait * 1.2, LONGEST_WAIT_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      await delay(wait);
    }
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
