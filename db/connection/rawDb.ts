import { delay } from '../../app/timing.ts';
import { isRetryable } from './faults.ts';

export type SqlValue = string | number | null;

/** What runs statements that are given as texts: Knex, a transaction of it, or a connection without Knex. */
export interface RawDb {
  readonly client: { readonly dialect: string };
  raw(sql: string, values: readonly SqlValue[]): PromiseLike<unknown>;
  /** Runs a statement of SQLite once for each list of values; Knex takes them as an option of the statement. */
  runForEach?(sql: string, rows: readonly (readonly SqlValue[])[]): Promise<void>;
}

/** The same with transactions. */
export interface TransactionalDb extends RawDb {
  transaction<T>(work: (trx: RawDb) => Promise<T>): Promise<T>;
}

/** An open connection of a driver. */
export interface Session {
  /** Runs a statement; of MySQL's the answer is a list that begins with the rows. */
  run(sql: string, values: readonly SqlValue[]): Promise<unknown>;
  /** Runs a statement once for each list of values, where that is cheaper. */
  runForEach?(sql: string, rows: readonly (readonly SqlValue[])[]): Promise<void>;
  /** Whether the next statement may be sent over it. */
  isUsable(): boolean;
  /** Undoes the transaction; where that fails, the connection is not used again. */
  rollBack(): Promise<void>;
  close(): Promise<void>;
}

/** What Knex calls the dialect of SQLite, whatever the driver. */
export const SQLITE_DIALECT = 'sqlite3';

/** Which of the two databases this is, for the few statements that differ. */
export function isSqlite({ client }: Pick<RawDb, 'client'>): boolean {
  return client.dialect === SQLITE_DIALECT;
}

/** The rows that a statement reads. */
export async function rowsOf<Row>(db: RawDb, sql: string, values: readonly SqlValue[]): Promise<Row[]> {
  const answer = await db.raw(sql, values);
  return (isSqlite(db) ? answer : (answer as unknown[])[0]) as Row[];
}

const ATTEMPTS = 5;
/** No attempt begins after this time, since each waits a second for a row that another transaction keeps locked. */
const RETRY_WITHIN_MS = 1_500;

/** Runs a whole transaction, again from its start when the database asks for that, a few times at most. */
export async function retryTransaction<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + RETRY_WITHIN_MS;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts >= ATTEMPTS || performance.now() > deadline || !isRetryable(error)) throw error;
      await delay(Math.random() * 10 * 2 ** attempts);
    }
  }
}

/** Runs the work in one transaction, as `retryTransaction` does. */
export async function rawTransaction<T>(db: TransactionalDb, work: (trx: RawDb) => Promise<T>): Promise<T> {
  return retryTransaction(async () => db.transaction(work));
}
