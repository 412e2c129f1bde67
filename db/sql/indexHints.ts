import type { Knex } from 'knex';
import type { Db } from '../connection/connect.ts';
import { isSqlite } from '../connection/rawDb.ts';

/**
 * Reads a table by one of its indexes, for lists that go on from a position: MariaDB on its own starts at the tenant's
 * newest row and reads down to the page. SQLite needs no hint.
 */
export function useIndex(db: Db, table: string, index: string): string | Knex.Raw {
  return isSqlite(db) ? table : db.raw('?? force index (??)', [table, index]);
}

/** Reads a table by this index on both databases, if SQLite was seen to choose another too. */
export function forceIndex(db: Db, table: string, index: string): Knex.Raw {
  return db.raw(isSqlite(db) ? '?? indexed by ??' : '?? force index (??)', [table, index]);
}

/** Reads a table by any index but this one, which would read rows that are not asked for. */
export function ignoreIndex(db: Db, table: string, index: string): string | Knex.Raw {
  return isSqlite(db) ? table : db.raw('?? ignore index (??)', [table, index]);
}

/** The word for a join that reads its tables in the order in which they are named. */
export function joinInOrder(db: Db): string {
  return isSqlite(db) ? 'cross join' : 'straight_join';
}
