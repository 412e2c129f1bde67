import { createConnection, type Connection } from 'mysql2';
import { waitAtMost } from '../../app/timing.ts';
import {
  CLOSE_TIMEOUT_MS,
  destroySocket,
  hasTimedOut,
  isLong,
  mysqlConnection,
  prepareSession,
  query,
  QUERY_TIMEOUT_MS,
  retryAtConnectionLimit,
  sendSeparately,
} from './mysql.ts';
import type { Session, SqlValue } from './rawDb.ts';
import type { MysqlConfig } from './settings.ts';

/** Opens a connection of a server for statements as texts, with a deadline on each. */
export async function openMysqlSession(config: MysqlConfig): Promise<Session> {
  const connection = await retryAtConnectionLimit(
    async () => connected(config),
    (isPatient) => isPatient,
  );
  let isOpen = true;
  const end = () => {
    isOpen = false;
    destroySocket(connection);
  };
  for (const event of ['error', 'end']) connection.on(event, () => (isOpen = false));
  await prepareSession(connection);
  return {
    run: async (sql, values) => {
      try {
        return await answerTo(connection, sql, values);
      } catch (error) {
        // The late answer would reach the next query of this connection.
        if (hasTimedOut(error)) end();
        throw error;
      }
    },
    isUsable: () => isOpen,
    rollBack: async () => {
      if (isOpen) await answerTo(connection, 'ROLLBACK', []).catch(end);
    },
    close: async () => {
      if (isOpen) await waitAtMost(CLOSE_TIMEOUT_MS, new Promise<void>((resolve) => connection.end(() => resolve())));
      end();
    },
  };
}

async function connected(config: MysqlConfig): Promise<Connection> {
  const connection = createConnection(mysqlConnection(config));
  return new Promise((resolve, reject) => {
    connection.connect((error) => {
      if (error) reject(error);
      else resolve(connection);
    });
  });
}

async function answerTo(connection: Connection, sql: string, values: readonly SqlValue[]): Promise<unknown[]> {
  if (isLong(values.at(-1))) return sendSeparately(connection, sql, values, QUERY_TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    query(connection, { sql, values: [...values] }, (error, ...answer) => {
      if (error) reject(error);
      else resolve(answer);
    });
  });
}
