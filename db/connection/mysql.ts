import type { Socket } from 'node:net';
import type { Connection } from 'mysql2';
import { importOnDemand } from '../../app/importOnDemand.ts';
import { delay, limitTime, withDeadline } from '../../app/timing.ts';
import type { SqlValue } from './rawDb.ts';
import type { MysqlConfig } from './settings.ts';

/** How long closing a connection in order may take. */
export const CLOSE_TIMEOUT_MS = 500;
/** How long a query may take before its request is answered 503. */
export const QUERY_TIMEOUT_MS = 1_000;
/** The code of a query that timed out, as the driver's own has it. */
const TIMED_OUT = 'PROTOCOL_SEQUENCE_TIMEOUT';
/** The codes of a server that allows no more connections. */
const CONNECTION_LIMITS = new Set(['ER_USER_LIMIT_REACHED', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_CON_COUNT_ERROR']);
/** How long a connection is requested again while the pool has none; the pool's own deadline is a little later. */
const LIMIT_PATIENCE_MS = 400;
const LIMIT_RETRY_MS = 50;

/** Longer values are sent beside the statement, which is cheaper than writing them into it. */
const LONG = 4_096;
export const isLong = (value: unknown) => typeof value === 'string' && value.length >= LONG;

/** Sends values in a prepared statement; preparing it needs a deadline of its own, since the driver has none. */
export async function sendSeparately(
  connection: Connection,
  sql: string,
  values: readonly (SqlValue | Buffer)[],
  timeoutMs: number,
): Promise<unknown[]> {
  const answer = new Promise<unknown[]>((resolve, reject) => {
    connection.execute(sql, [...values], (error, ...response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
  return withDeadline(timeoutMs, answer, timedOut);
}

/** What a query fails with that had no answer in time. */
export function timedOut(): Error {
  return Object.assign(new Error('Query inactivity timeout'), { code: TIMED_OUT });
}

/**
 * Sends a statement and calls back once: with the answer, or without one in time. The driver's own deadline would end
 * queries that were answered while the process paused.
 */
export function query(
  connection: Connection,
  statement: { sql: string; values?: SqlValue[] },
  done: (error: Error | null, ...answer: unknown[]) => void,
): void {
  let isLate = false;
  const limit = limitTime(QUERY_TIMEOUT_MS, () => {
    isLate = true;
    done(timedOut());
  });
  connection.query(statement, (error, ...answer) => {
    limit.cancel();
    if (!isLate) done(error, ...answer);
  });
}

/** Whether a query had no answer in time: the late one would reach the next query of its connection. */
export function hasTimedOut(error: unknown): boolean {
  return codeOf(error) === TIMED_OUT;
}

/**
 * Opens a connection, again while the account has all that it may have, as long as `mayWait` allows: it is told whether
 * that began a short while ago.
 */
export async function retryAtConnectionLimit<T>(
  open: () => Promise<T>,
  mayWait: (isPatient: boolean) => boolean,
): Promise<T> {
  const deadline = performance.now() + LIMIT_PATIENCE_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!CONNECTION_LIMITS.has(codeOf(error)) || !mayWait(performance.now() < deadline)) throw error;
      await delay(LIMIT_RETRY_MS);
    }
  }
}

/** Closes the socket at once: the driver's own `destroy` would leave it open until the server answers. */
export function destroySocket(connection: Connection): void {
  connection.destroy();
  (connection as unknown as { stream: Socket }).stream.destroy();
}

type Driver = typeof import('mysql2');
type Values = Parameters<Driver['format']>[1] & unknown[];

/** The driver's settings: UTC, no objects in place of values, TLS exactly as asked for. */
export function mysqlConnection(config: MysqlConfig): Record<string, unknown> {
  const { host, port, user, password, database, tls } = config;
  const { format } = importOnDemand('mysql2') as Driver;
  return {
    host,
    port,
    user,
    password,
    database,
    charset: 'utf8mb4',
    timezone: 'Z',
    stringifyObjects: true,
    decimalNumbers: true,
    // The driver would look through a statement for its marks even where there is nothing to put there.
    queryFormat: (sql: string, values: Values | undefined, timezone: 'Z') =>
      values === undefined || values.length === 0 ? sql : format(sql, values, true, timezone),
    connectTimeout: 2_000,
    ...(tls && {
      ssl: { ...(tls.ca && { ca: tls.ca }), rejectUnauthorized: tls.verifyChain, verifyIdentity: tls.verifyName },
    }),
  };
}

const codeOf = (error: unknown) => String((error as { code?: unknown }).code);

/** The settings of each session: strict writes, row locks without gaps, and short waits for locks. */
const SESSION_SETTINGS = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 1, time_zone = '+00:00'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];
/** On a node of a Galera cluster, reads wait until the node has what was committed on the others before. */
const GALERA_SETTING = 'SET SESSION wsrep_sync_wait = 1';
/** The code of a server that is no Galera node. */
const UNKNOWN_VARIABLE = 'ER_UNKNOWN_SYSTEM_VARIABLE';

/** Applies the session settings to a new connection, which is closed if that fails. */
export async function prepareSession(connection: Connection): Promise<void> {
  const runStatement = async (sql: string) => withDeadline(QUERY_TIMEOUT_MS, connection.promise().query(sql), timedOut);
  try {
    for (const statement of SESSION_SETTINGS) await runStatement(statement);
    await runStatement(GALERA_SETTING).catch((error: unknown) => {
      if (codeOf(error) !== UNKNOWN_VARIABLE) throw error;
    });
  } catch (error) {
    // The pool forgets a connection that was never ready, and would leave it open.
    destroySocket(connection);
    throw error;
  }
}
