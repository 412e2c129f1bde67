import type { Connection } from 'mysql2';
import type { Db } from './connect.ts';
import { destroySocket, query } from './mysql.ts';

/** Connections that are kept from one query to the next. */
export interface HeldConnections {
  /** The rows that a statement without values gives. */
  ask<Row>(sql: string): Promise<Row[]>;
  release(): void;
}

/**
 * Keeps connections of the pool for a statement that is sent thousands of times a second, since Knex takes longer for
 * each query than the driver. After a fault the connection is closed and the next query gets a new one.
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
        query(connection, { sql }, (error, rows) => {
          if (error) {
            destroySocket(connection);
            give(connection);
            reject(error);
            return;
          }
          idle.push(connection);
          resolve(rows as Row[]);
        });
      });
    },
    release() {
      for (const connection of idle.splice(0)) give(connection);
    },
  };
}

/** The methods of Knex's client that acquire and release connections. */
interface PoolClient {
  acquireConnection(): Promise<Connection>;
  releaseConnection(connection: Connection): Promise<void>;
  validateConnection(connection: Connection): boolean | Promise<boolean>;
}
