import { z } from 'zod';
import { decodeCursor, encodeCursor, type Position } from '../domain/cursor.ts';
import { AppError } from '../errors.ts';
import { WholeNumber } from './queryValues.ts';

/** Where a page begins; a cursor of another tenant, list or filter is refused, since the page would silently be wrong. */
export function positionOf(cursor: string | undefined, binding: string): Position | undefined {
  if (cursor === undefined) return undefined;
  const position = decodeCursor(cursor, binding);
  if (position) return position;
  throw new AppError('invalid_query', 'query_not_understood', {
    errors: [{ path: 'cursor', problem: { key: 'must_be_cursor' } }],
  });
}

/** A page of the rows, of which one more than fits was asked for to know whether there is a next one. */
export function pageOf<Row extends { id: string; createdAt: number }>(
  found: readonly Row[],
  limit: number,
  binding: string,
): { rows: Row[]; nextCursor: string | null } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const isLast = found.length <= limit || !last;
  return { rows, nextCursor: isLast ? null : encodeCursor({ at: last.createdAt, id: last.id }, binding) };
}

/** The query of every list that is read by cursor. */
export const PAGE = { limit: WholeNumber({ max: 100, fallback: 50 }), cursor: z.string().optional() };

/** Reads one page of a list; the binding names the list, its tenant and the filter. */
export async function readPage<Row extends { id: string; createdAt: number }>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  binding: readonly unknown[],
  load: (page: { after: Position | undefined; limit: number }) => Promise<readonly Row[]>,
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  const bound = JSON.stringify(binding);
  const after = positionOf(cursor, bound);
  return pageOf(await load({ after, limit: limit + 1 }), limit, bound);
}
