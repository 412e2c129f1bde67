import type { Knex } from 'knex';
import type { Position } from '../../app/domain/cursor.ts';

/** A page of a list: the rows after a position, or from the beginning, and their limit. */
export interface Page {
  after: Position | undefined;
  limit: number;
}

/** Filters and orders rows to a page, the newest first, by any index that ends in `created_at` and `id`. */
export function newestFirst(rows: Knex.QueryBuilder, { after, limit }: Page): void {
  // The first condition repeats what the second implies: it is the one that an index can begin with.
  if (after) {
    void rows.where('created_at', '<=', after.at);
    void rows.where((row) => void row.where('created_at', '<', after.at).orWhere('id', '<', after.id));
  }
  void rows.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
}
