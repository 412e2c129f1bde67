import type { Connection } from 'mysql2';
import knex from 'knex';
import Mysql2Client from 'knex/lib/dialects/mysql2/index.js';
import { waitAtMost, withDeadline } from '../../app/timing.ts';
import {
  CLOSE_TIMEOUT_MS,
  destroySocket,
  hasTimedOut,
  isLong,
  QUERY_TIMEOUT_MS,
  retryAtConnectionLimit,
  sendSeparately,
  timedOut,
} from './mysql.ts';
import type { SqlValue } from './rawDb.ts';

/** Knex's MySQL dialect with a deadline on every query; `queryTimeoutMs` beside the connection settings changes it. */
export class MysqlClient extends Mysql2Client {
  override async _query(connection: Connection, query: KnexQuery): Promise<KnexQuery> {
    const { queryTimeoutMs = QUERY_TIMEOUT_MS } = this.config as MysqlClientConfig;
    const { timeout = queryTimeoutMs, ...options } = query.options ?? {};
    query.options = options;
    try {
      if (isLong(query.bindings?.at(-1))) {
        const response = await sendSeparately(connection, query.sql, query.bindings as SqlValue[], timeout);
        return Object.assign(query, { response });
      }
      return await withDeadline(timeout, super._query(connection, query), timedOut);
    } catch (error) {
      // The late answer would reach the next query of this connection: it must not go back to the pool.
      if (hasTimedOut(error)) destroySocket(connection);
      throw error;
    }
  }

  /** Gives a connection of the pool, or fails as the pool would that has none in time. */
  override async acquireConnection(): Promise<Connection> {
    const { acquireTimeoutMs } = this.config as MysqlClientConfig;
    const pool = this.pool as Pool | undefined;
    // A pool that is closed is refused by Knex.
    if (!pool || acquireTimeoutMs === undefined) return super.acquireConnection() as Promise<Connection>;
    const pending = pool.acquire();
    return withDeadline(acquireTimeoutMs, pending.promise, () => {
      pending.abort();
      return new knex.KnexTimeoutError('No connection to the database was free in time');
    });
  }

  /**
   * Waits while the account has all the connections it may have. Requests use the pool's other connections in the
   * meantime, or are refused at the pool's deadline; a pool without connections rejects with the reason.
   */
  override async acquireRawConnection(): Promise<Connection> {
    return retryAtConnectionLimit(
      async () => super.acquireRawConnection(),
      (isPatient) => this.#mayWait(isPatient),
    );
  }

  #mayWait(isPatient: boolean): boolean {
    const pool = this.pool as Pool | undefined;
    if (!pool || pool.numPendingAcquires() === 0) return false;
    return pool.numUsed() + pool.numFree() > 0 || isPatient;
  }

  /** Closes the connection in order, and destroys the socket if the server does not answer. */
  override async destroyRawConnection(connection: Connection): Promise<void> {
    await waitAtMost(CLOSE_TIMEOUT_MS, super.destroyRawConnection(connection));
    destroySocket(connection);
  }
}

/** What is given beside the settings of the connection. */
interface MysqlClientConfig {
  queryTimeoutMs?: number;
  acquireTimeoutMs?: number;
}

/** Knex's pool. */
interface Pool {
  acquire(): { promise: Promise<Connection>; abort(): void };
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}
