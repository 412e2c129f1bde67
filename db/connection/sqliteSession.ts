import type { Session } from './rawDb.ts';
import { closeSqlite, WRITER_THREAD, openSqliteWhenFree, runStatement } from './sqlite.ts';

/** Opens a file for a thread that may stand still while it waits, since it serves no requests. */
export async function openSqliteSession(file: string): Promise<Session> {
  const connection = await openSqliteWhenFree(file, WRITER_THREAD);
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
