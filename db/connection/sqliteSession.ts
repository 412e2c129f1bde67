import type { Session } from './rawDb.ts';
import { closeSqlite, OF_WRITER, openSqliteAtLeisure, runStatement } from './sqlite.ts';

/** Opens a file for a thread that may stand still while it waits, since it serves no requests. */
export async function openSqliteSession(file: string): Promise<Session> {
  const connection = await openSqliteAtLeisure(file, OF_WRITER);
  return {
    run: async (sql, values) => {
      const { rows, result } = await runStatement(connection, sql, values);
      return rows ?? result;
    },
    runForEach: async (sql, rows) => {
      await runStatement(connection, sql, [], rows);
    },
    isUsable: () => true,
    rollBack: async () => {
      // A full disk has undone the transaction already.
      if (connection.isTransaction) await runStatement(connection, 'ROLLBACK', []);
    },
    close: async () => closeSqlite(connection),
  };
}
