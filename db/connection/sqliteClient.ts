import { DatabaseSync, type DatabaseSyncInstance as Connection } from '@photostructure/sqlite';
import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3/index.js';
import type { SqlValue } from './rawDb.ts';
import { closeSqlite, openSqliteWhenFree, runStatement } from './sqlite.ts';

/** Knex's SQLite dialect over the prebuilt driver. */
export class SqliteClient extends BetterSqlite3Client {
  _driver(): typeof DatabaseSync {
    return DatabaseSync;
  }

  override async acquireRawConnection(): Promise<Connection> {
    const { filename, ...behaviour } = this.connectionSettings;
    return openSqliteWhenFree(filename, behaviour);
  }

  override async destroyRawConnection(connection: Connection): Promise<void> {
    closeSqlite(connection);
  }

  async _query(connection: Connection, query: KnexQuery): Promise<KnexQuery> {
    // A deferred transaction that writes late cannot be retried half-way: take the write lock at once.
    const sql = query.sql === 'BEGIN;' ? 'BEGIN IMMEDIATE' : query.sql;
    // A full disk has undone the transaction already; a complaint about that would hide what went wrong.
    if (sql === 'ROLLBACK' && !connection.isTransaction) return Object.assign(query, { response: [], context: {} });
    const bindings = this._formatBindings(query.bindings) as (string | number | null | Uint8Array)[];
    const { rows, result } = await runStatement(
      connection,
      sql,
      bindings,
      query.options?.['rows'] as SqlValue[][] | undefined,
    );
    query.response = rows ?? result;
    if (result) query.context = { lastID: result.lastInsertRowid, changes: result.changes };
    return query;
  }
}
