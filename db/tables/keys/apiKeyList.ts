import type { Knex } from 'knex';
import { KEY_STATUSES } from '../../../app/domain/keyStatus.ts';
import { isSqlite, type Db } from '../../connection/connect.ts';
import { INDEX_OF_ATTENTION, overscopedKeys } from './apiKeyAttention.ts';
import { KEY_COLUMNS, keyFromRow, type ApiKey, type KeyRow } from './apiKeyFields.ts';
import { EVERY_TENANT, matching, STATUS, type KeyFilter, type TenantOrEvery } from './apiKeyFilter.ts';
import { BY_CREATION, BY_EXPIRY, BY_LAST_USE, BY_LEAK, BY_NAME, BY_NAME_SQLITE } from './apiKeyIndexes.ts';
import { isScopeOfFew } from './apiKeyScopes.ts';

export const KEY_SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'] as const;
export type KeySort = (typeof KEY_SORTS)[number];

export interface KeyPage {
  sort: KeySort;
  descending: boolean;
  offset: number;
  limit: number;
  /** Puts revoked keys behind all others. */
  revokedLast?: boolean;
}

export interface KeysFound {
  keys: ApiKey[];
  /** How many fit, counted up to `MOST_COUNTED`. */
  total: number;
  /** There are more than `total`. */
  totalIsAtLeast: boolean;
}

/** Beyond it a list says "at least": to count all of a large tenant's keys would take longer than to show a page of them. */
export const MOST_COUNTED = 1_000;

/** A page that ends behind so many keys is read by its place alone; one before is cut from all that fit up to its end. */
const MOST_READ = 3_000;

/** So many keys of a scope are sorted sooner than all keys are asked for the scope, in the order of the list. */
export const MOST_SORTED = 2_000;

/** In the order of which index the lists lie; names without regard to case. */
const SORTED: Record<KeySort, { column: keyof KeyRow; index: string }> = {
  createdAt: { column: 'created_at', index: BY_CREATION },
  name: { column: 'name', index: BY_NAME },
  lastUsedAt: { column: 'last_used_at', index: BY_LAST_USE },
  expiresAt: { column: 'expires_at', index: BY_EXPIRY },
};

/** One page of the keys that fit, and how many fit. */
export async function pageOfApiKeys(db: Db, whose: TenantOrEvery, asked: KeyFilter, page: KeyPage): Promise<KeysFound> {
  const filter = await narrowed(db, whose, asked);
  const { ids, total } =
    (await pageAmongFirst(db, whose, filter, page)) ?? (await pageByPlace(db, whose, filter, page));
  return {
    keys: await keysInOrder(db, ids),
    total: Math.min(total, MOST_COUNTED),
    totalIsAtLeast: total > MOST_COUNTED,
  };
}

/** The filter with what was found out about the best way to the keys that fit it. */
export async function narrowed(db: Db, whose: TenantOrEvery, filter: KeyFilter): Promise<KeyFilter> {
  if (whose === EVERY_TENANT) return filter;
  const { scope, attention, now } = filter;
  if (attention === 'overscoped') return { ...filter, ids: await overscopedKeys(db, whose, now) };
  return scope === undefined ? filter : { ...filter, scopeLeads: await isScopeOfFew(db, whose, scope, MOST_SORTED) };
}

/** The keys of one page. */
export async function listApiKeys(db: Db, whose: TenantOrEvery, filter: KeyFilter, page: KeyPage): Promise<ApiKey[]> {
  const { offset, limit } = page;
  return keysInOrder(db, await idsAt(db, whose, filter, page, offset, limit));
}

/** How many fit, counted up to `most` where that is given. */
export async function countApiKeys(db: Db, whose: TenantOrEvery, filter: KeyFilter, most?: number): Promise<number> {
  const rows = matching(db, whose, filter, indexOf(db, filter, 'createdAt')).select(db.raw('1 as one'));
  if (most !== undefined) void rows.limit(most);
  const [counted] = await db.from(rows.as('some')).count<{ total: number }[]>({ total: '*' });
  return counted?.total ?? 0;
}

/** The ids of the keys of one page, and how many keys fit: exact up to `MOST_COUNTED`. */
export interface PageFound {
  ids: string[];
  total: number;
}

/** The page as a part of the first keys that fit; undefined where they do not tell what is on it. */
async function pageAmongFirst(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  page: KeyPage,
): Promise<PageFound | undefined> {
  const { offset, limit, revokedLast = false } = page;
  const end = offset + limit;
  if (end > MOST_READ) return undefined;
  // Where revoked keys come last, half of those that are read may be revoked.
  const most = Math.max(revokedLast ? 2 * end : end, MOST_COUNTED + 1);
  const first = await inOrder(db, whose, filter, page)
    .limit(most)
    .select<{ id: string; revoked: number }[]>(
      { id: 'api_keys.id' },
      db.raw(`${STATUS.revoked} as revoked`, { now: filter.now }),
    );
  const isLast = ({ revoked }: { revoked: number }) => revokedLast && revoked === 1;
  const known = first.filter((hit) => !isLast(hit));
  if (first.length < most) known.push(...first.filter(isLast));
  else if (known.length < end) return undefined;
  return { ids: known.slice(offset, end).map(({ id }) => id), total: first.length };
}

/** The page by the number of keys before it, from whichever end of the list is nearer, which takes counting all that fit. */
export async function pageByPlace(db: Db, whose: TenantOrEvery, filter: KeyFilter, page: KeyPage): Promise<PageFound> {
  const { offset, limit, revokedLast = false } = page;
  // To count the keys of all tenants would take longer than to read those before the page.
  if (whose === EVERY_TENANT) {
    const total = await countApiKeys(db, whose, filter, MOST_COUNTED + 1);
    return { ids: await idsAt(db, whose, filter, page, offset, limit), total };
  }
  const { total, revoked } = await countWithRevoked(db, whose, filter);
  if (!revokedLast) return { ids: await idsFromNearerEnd(db, whose, filter, page, offset, total), total };
  const living = { ...filter, statuses: KEY_STATUSES.filter((one) => one !== 'revoked') };
  const gone = { ...filter, statuses: ['revoked'] as const };
  return {
    ids: [
      ...(await idsFromNearerEnd(db, whose, living, page, offset, total - revoked)),
      ...(await idsFromNearerEnd(db, whose, gone, page, offset - (total - revoked), revoked)),
    ],
    total,
  };
}

async function countWithRevoked(db: Db, whose: string, filter: KeyFilter): Promise<{ total: number; revoked: number }> {
  const rows = matching(db, whose, filter, indexOf(db, filter, 'createdAt'));
  const revoked = db.raw(`count(case when ${STATUS.revoked} then 1 end) as revoked`, { now: filter.now });
  const [counted] = await rows.select<{ total: number; revoked: number }[]>(db.raw('count(*) as total'), revoked);
  return counted ?? { total: 0, revoked: 0 };
}

/** The ids on the part of a page that lies among `count` keys, of which the page begins behind the first `offset`. */
async function idsFromNearerEnd(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  page: KeyPage,
  offset: number,
  count: number,
): Promise<string[]> {
  const from = Math.max(0, offset);
  const size = Math.min(offset + page.limit, count) - from;
  const behind = count - from - size;
  if (behind >= from) return idsAt(db, whose, filter, page, from, size);
  return (await idsAt(db, whose, filter, { ...page, descending: !page.descending }, behind, size)).reverse();
}

async function idsAt(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  page: KeyPage,
  offset: number,
  size: number,
): Promise<string[]> {
  return size <= 0 ? [] : inOrder(db, whose, filter, page).offset(offset).limit(size).pluck('api_keys.id');
}

async function keysInOrder(db: Db, ids: readonly string[]): Promise<ApiKey[]> {
  if (ids.length === 0) return [];
  // As one text: Knex would look at each of them, for every page anew.
  const rows = db<KeyRow>('api_keys')
    .whereIn('id', [...ids])
    .select<KeyRow[]>(db.raw(KEY_COLUMNS.join(', ')));
  const keys = new Map((await rows).map((row) => [row.id, keyFromRow(row)]));
  return ids.flatMap((id) => keys.get(id) ?? []);
}

/** The keys that fit, read along the index of their order. */
function inOrder(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  { sort, descending }: KeyPage,
): Knex.QueryBuilder<KeyRow, KeyRow[]> {
  const rows = matching(db, whose, filter, indexOf(db, filter, sort));
  const order = descending ? 'desc' : 'asc';
  // MySQL's collation sorts names without regard to case; SQLite has to be asked to.
  if (sort === 'name' && isSqlite(db)) void rows.orderByRaw(`api_keys.name collate nocase ${order}`);
  else void rows.orderBy(`api_keys.${SORTED[sort].column}`, order);
  return rows.orderBy('api_keys.id', order);
}

function indexOf(db: Db, { attention }: KeyFilter, sort: KeySort): string | undefined {
  // Leaked keys are few, so that their rows are read and sorted.
  if (attention === 'leaked') return BY_LEAK;
  const leading = attention && INDEX_OF_ATTENTION[attention];
  // Only the index by last use has the column of this order.
  if (leading !== undefined && sort !== 'lastUsedAt') return leading;
  return sort === 'name' && isSqlite(db) ? BY_NAME_SQLITE : SORTED[sort].index;
}
