import type { Connection } from 'mysql2';
import type { Db } from './connect.ts';
import { destroySocket, QUERY_TIMEOUT_MS } from './mysql.ts';

/** Connections that are kept from one query to the next. */
export interface HeldConnections {
  /** The rows that a statement without values gives. */
  ask<Row>(sql: string): Promise<Row[]>;
  release(): void;
}

/**
 * Holds on to connections of a pool, for a statement that is sent thousands of times a second: what a pool does for each
 * query, and a query builder for each statement, takes longer than the driver's own part. After any fault a connection
 * is hung up, and the next query has a new one.
 */
export function holdConnections(db: Db): HeldConnections {
  const { client } = db as unknown as { client: PoolClient };
  const idle: Connection[] = [];
  const give = (connection: Connection) => void client.releaseConnection(connection);

  async function take(): Promise<Connection> {
    const connection = idle.pop();
    if (!connection) return client.acquireConnection();
    if (await client.validateConnection(connection)) return connection;
    give(connection);
    return take();
  }

  return {
    async ask<Row>(sql: string): Promise<Row[]> {
      const connection = await take();
      return new Promise((resolve, reject) => {
        connection.query({ sql, timeout: QUERY_TIMEOUT_MS }, (error, rows) => {
          if (error) {
            destroySocket(connection);
            give(connection);
            reject(error);
            return;
          }
          idle.push(connection);
          resolve(rows as unknown as Row[]);
        });
      });
    },
    release() {
      for (const connection of idle.splice(0)) give(connection);
    },
  };
}

/** What Knex's client offers to whoever asks for connections themselves. */
interface PoolClient {
  acquireConnection(): Promise<Connection>;
  releaseConnection(connection: Connection): Promise<void>;
  validateConnection(connection: Connection): boolean | Promise<boolean>;
}
