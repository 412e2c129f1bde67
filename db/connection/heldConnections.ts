import type { Connection } from 'mysql2';
import type { Db } from './connect.ts';
import { destroySocket, query, QUERY_TIMEOUT_MS, sendSeparately } from './mysql.ts';

/** Connections that are kept from one query to the next. */
export interface HeldConnections {
  /** The rows that a statement without values gives. */
  ask<Row>(sql: string): Promise<Row[]>;
  /**
   * The rows that a statement gives which each connection prepares once, since servers take longer to read a long one than
   * to find its rows; undefined where the server prepares none.
   */
  askPrepared<Row>(sql: string, values: readonly (string | Buffer)[]): Promise<Row[] | undefined>;
  release(): void;
}

/** The numbers of a server that has as many prepared statements as it may have, and of one that prepares none of this kind. */
const PREPARES_NONE = new Set<unknown>([1461, 1295]);

/**
 * Keeps connections of the pool for a statement that is sent thousands of times a second, since Knex takes longer for
 * each query than the driver. After a fault the connection is closed and the next query gets a new one.
 */
export function holdConnections(db: Db): HeldConnections {
  const { client } = db as unknown as { client: PoolClient };
  const idle: Connection[] = [];
  let prepares = true;
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
    async askPrepared<Row>(sql: string, values: readonly (string | Buffer)[]): Promise<Row[] | undefined> {
      if (!prepares) return undefined;
      const connection = await take();
      try {
        const [rows] = await sendSeparately(connection, sql, values, QUERY_TIMEOUT_MS);
        idle.push(connection);
        return rows as Row[];
      } catch (error) {
        destroySocket(connection);
        give(connection);
        if (!PREPARES_NONE.has((error as { errno?: unknown }).errno)) throw error;
        prepares = false;
        return undefined;
      }
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
