import type { Knex } from 'knex';
import { KEY_STATUSES } from '../../../app/domain/keyStatus.ts';
import { isSqlite, type Db } from '../../connection/connect.ts';
import { INDEX_OF_ATTENTION, overscopedKeys } from './apiKeyAttention.ts';
import { KEY_COLUMNS, keyFromRow, type ApiKey, type KeyRow } from './apiKeyFields.ts';
import { EVERY_TENANT, matching, STATUS, type KeyFilter, type TenantOrEvery } from './apiKeyFilter.ts';
import { BY_CREATION, BY_END, BY_LAST_USE, BY_LEAK, BY_NAME, BY_NAME_SQLITE, endIn } from './apiKeyIndexes.ts';
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

/** The index that has the order of each sort: names without regard to case, and keys that never end behind all others. */
const SORTED: Record<KeySort, { column?: keyof KeyRow; index: string }> = {
  createdAt: { column: 'created_at', index: BY_CREATION },
  name: { column: 'name', index: BY_NAME },
  lastUsedAt: { column: 'last_used_at', index: BY_LAST_USE },
  expiresAt: { index: BY_END },
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
  const first: { id: string; revoked: number }[] = [];
  for (const part of partsByEnd(whose, filter, page)) {
    if (first.length === most) break;
    const rows = inOrder(db, whose, part, page).limit(most - first.length);
    const revoked = db.raw<number>(`${STATUS.revoked} as revoked`, { now: filter.now });
    first.push(...(await rows.select<{ id: string; revoked: number }[]>({ id: 'api_keys.id' }, revoked)));
  }
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
  const counts = await countParts(db, whose, filter);
  const living = { ...filter, statuses: KEY_STATUSES.filter((one) => one !== 'revoked') };
  const halves = revokedLast ? [living, { ...filter, statuses: ['revoked'] as const }] : [filter];
  const ids: string[] = [];
  let before = 0;
  for (const part of halves.flatMap((half) => partsByEnd(whose, half, page))) {
    const count = counts
      .filter(({ revoked, never }) => {
        const isOfHalf = !revokedLast || (revoked === 1) === (part.statuses?.[0] === 'revoked');
        return isOfHalf && (part.ends === undefined || (never === 1) === (part.ends === 'never'));
      })
      .reduce((sum, { keys }) => sum + keys, 0);
    ids.push(...(await idsFromNearerEnd(db, whose, part, page, offset - before, count)));
    before += count;
  }
  return { ids, total: counts.reduce((sum, { keys }) => sum + keys, 0) };
}

/** The parts of a list that stand one behind the other: sorted by their end, keys that never end come last in either order. */
function partsByEnd(whose: TenantOrEvery, filter: KeyFilter, { sort }: KeyPage): KeyFilter[] {
  if (sort !== 'expiresAt' || whose === EVERY_TENANT) return [filter];
  const parts = (['sometime', 'never'] as const).map((ends) => ({ ...filter, ends }));
  const { attention, endsSoon } = filter;
  return parts.filter(({ ends }) =>
    ends === 'never' ? attention !== 'expiring' && !endsSoon : attention !== 'endless',
  );
}

/** How many keys fit: apart those that are revoked, and those that never end. */
async function countParts(
  db: Db,
  whose: string,
  filter: KeyFilter,
): Promise<{ revoked: number; never: number; keys: number }[]> {
  const parts = matching(db, whose, filter, indexOf(db, filter, 'createdAt')).select(
    db.raw(`case when ${STATUS.revoked} then 1 else 0 end as revoked`, { now: filter.now }),
    db.raw('case when coalesce(grace_ends_at, expires_at) is null then 1 else 0 end as never'),
  );
  return db
    .from(parts.as('parts'))
    .select<{ revoked: number; never: number; keys: number }[]>('revoked', 'never', db.raw('count(*) as `keys`'))
    .groupBy('revoked', 'never');
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
  const index = indexOf(db, filter, sort);
  const rows = matching(db, whose, filter, index);
  const { column } = SORTED[sort];
  const order = descending ? 'desc' : 'asc';
  // MySQL's collation sorts names without regard to case; SQLite has to be asked to.
  if (sort === 'name' && isSqlite(db)) void rows.orderByRaw(`api_keys.name collate nocase ${order}`);
  else if (column !== undefined) void rows.orderBy(`api_keys.${column}`, order);
  else if (filter.ends === undefined) void rows.orderByRaw(`${endIn(db, index)} is null, ${endIn(db, index)} ${order}`);
  // Keys that never end lie in the index by their id; ordered by their end too, MariaDB would sort them all.
  else if (filter.ends === 'sometime') void rows.orderByRaw(`${endIn(db, index)} ${order}`);
  return rows.orderBy('api_keys.id', order);
}

function indexOf(db: Db, { attention, endsSoon }: KeyFilter, sort: KeySort): string | undefined {
  // Leaked keys are few, so that their rows are read and sorted.
  if (attention === 'leaked') return BY_LEAK;
  const leading = (attention && INDEX_OF_ATTENTION[attention]) ?? (endsSoon ? BY_END : undefined);
  // Only the index by last use has the column of this order.
  if (leading !== undefined && sort !== 'lastUsedAt') return leading;
  return sort === 'name' && isSqlite(db) ? BY_NAME_SQLITE : SORTED[sort].index;
}
