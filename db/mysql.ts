import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { format, type Connection } from 'mysql2';
import Mysql2Client from 'knex/lib/dialects/mysql2/index.js';
import type { MysqlConfig } from '../app/config.ts';

/** What a query may take before its request is answered 503. */
export const QUERY_TIMEOUT_MS = 1_000;
const GOODBYE_MS = 500;
/** The driver's word for a query that took too long. */
const TIMED_OUT = 'PROTOCOL_SEQUENCE_TIMEOUT';

/** Knex's MySQL dialect with a deadline on every query; `queryTimeoutMs` beside the connection settings changes it. */
export class MysqlClient extends Mysql2Client {
  override async _query(connection: Connection, query: KnexQuery): Promise<KnexQuery> {
    const timeout = (this.config as { queryTimeoutMs?: number }).queryTimeoutMs ?? QUERY_TIMEOUT_MS;
    query.options = { timeout, ...query.options };
    try {
      if (isLong(query.bindings?.at(-1))) return await sentApart(connection, query, timeout);
      return await super._query(connection, query);
    } catch (error) {
      // The late answer would reach the next query of this connection: it must not go back to the pool.
      if ((error as { code?: unknown }).code === TIMED_OUT) hangUp(connection);
      throw error;
    }
  }

  /** Says goodbye, and hangs up on a server that does not say it back. */
  override async destroyRawConnection(connection: Connection): Promise<void> {
    const impatience = new AbortController();
    const waited = delay(GOODBYE_MS, undefined, { signal: impatience.signal }).catch(() => undefined);
    await Promise.race([super.destroyRawConnection(connection), waited]);
    impatience.abort();
    hangUp(connection);
  }
}

/** What is as long as this costs more to write into a statement, and to be read there, than to be sent beside it. */
const LONG = 4_096;
const isLong = (value: unknown) => typeof value === 'string' && value.length >= LONG;

/** A prepared statement, whose values go to the server as they are. The driver has no deadline for preparing it. */
async function sentApart(connection: Connection, query: KnexQuery, timeoutMs: number): Promise<KnexQuery> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(Object.assign(new Error('Query inactivity timeout'), { code: TIMED_OUT }));
    }, timeoutMs);
    connection.execute(query.sql, query.bindings as string[], (error, ...response) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve(Object.assign(query, { response }));
    });
  });
}

/** Closes the socket at once: the driver's own `destroy` would leave it open until the server answers. */
export function hangUp(connection: Connection): void {
  connection.destroy();
  (connection as unknown as { stream: Socket }).stream.destroy();
}

type Values = Parameters<typeof format>[1] & unknown[];

/** The driver's settings: UTC, no objects in place of values, TLS exactly as asked for. */
export function mysqlConnection(config: MysqlConfig): Record<string, unknown> {
  const { host, port, user, password, database, tls } = config;
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

/** What each session is told first: strict writes, row locks without gaps, and short waits for them. */
export const SESSION_SETTINGS = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 1, time_zone = '+00:00'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];
