import type { Knex } from 'knex';
import { isSqlite, type Db } from '../connection/connect.ts';

/**
 * A table to be read along one of its indexes, for lists that go on from a position: left to itself MariaDB starts
 * at the newest row of the tenant and reads its way down to the page. SQLite needs no telling.
 */
export function useIndex(db: Db, table: string, index: string): string | Knex.Raw {
  return isSqlite(db) ? table : db.raw('?? force index (??)', [table, index]);
}

/** A table to be read along one index on both databases, where SQLite too was seen to take another. */
export function forceIndex(db: Db, table: string, index: string): Knex.Raw {
  return db.raw(isSqlite(db) ? '?? indexed by ??' : '?? force index (??)', [table, index]);
}

/** A table to be read by any index but one, which would lead through rows that are not asked for. */
export function ignoreIndex(db: Db, table: string, index: string): string | Knex.Raw {
  return isSqlite(db) ? table : db.raw('?? ignore index (??)', [table, index]);
}

/** The word for a join that reads its tables in the order in which they are named. */
export function joinInOrder(db: Db): string {
  return isSqlite(db) ? 'cross join' : 'straight_join';
}
