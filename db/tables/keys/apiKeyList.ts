import type { Knex } from 'knex';
import { KEY_STATUSES } from '../../../app/domain/keyStatus.ts';
import { isSqlite, type Db } from '../../connection/connect.ts';
import { overscopedKeys } from './apiKeyAttention.ts';
import { KEY_COLUMNS, keyFromRow, type ApiKey, type KeyRow } from './apiKeyFields.ts';
import { EVERY_TENANT, matching, STATUS, type KeyFilter, type TenantOrEvery } from './apiKeyFilter.ts';
import { BY_CREATION, BY_EXPIRY, BY_LAST_USE, BY_NAME, BY_NAME_SQLITE } from './apiKeyIndexes.ts';
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

/** So many keys of a scope are sorted sooner than all keys are asked for the scope, in the order of the list. */
export const MOST_SORTED = 30_000;

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
  const first = await firstHits(db, whose, filter, page);
  const totalIsAtLeast = first.length > MOST_COUNTED;
  const end = page.offset + page.limit;
  const isLast = ({ revoked }: { revoked: number }) => page.revokedLast === true && revoked === 1;
  const known = first.filter((hit) => !isLast(hit));
  if (!totalIsAtLeast) known.push(...first.filter(isLast));
  const shown =
    totalIsAtLeast && known.length < end
      ? await pageIds(db, whose, filter, page)
      : known.slice(page.offset, end).map(({ id }) => id);
  return { keys: await keysInOrder(db, shown), total: Math.min(first.length, MOST_COUNTED), totalIsAtLeast };
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
  return keysInOrder(db, await pageIds(db, whose, filter, page));
}

/** How many fit, counted up to `most` where that is given. */
export async function countApiKeys(db: Db, whose: TenantOrEvery, filter: KeyFilter, most?: number): Promise<number> {
  const rows = matching(db, whose, filter, filter.attention ? undefined : BY_CREATION).select(db.raw('1 as one'));
  if (most !== undefined) void rows.limit(most);
  const [counted] = await db.from(rows.as('some')).count<{ total: number }[]>({ total: '*' });
  return counted?.total ?? 0;
}

/** The first keys that fit, in the order of the list, up to one more than are counted. */
async function firstHits(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  page: KeyPage,
): Promise<{ id: string; revoked: number }[]> {
  const { now } = filter;
  const rows = inOrder(db, whose, filter, page).limit(MOST_COUNTED + 1);
  return rows.select<{ id: string; revoked: number }[]>(
    { id: 'api_keys.id' },
    db.raw(`${STATUS.revoked} as revoked`, { now }),
  );
}

/** The ids of the keys of one page. */
async function pageIds(db: Db, whose: TenantOrEvery, filter: KeyFilter, page: KeyPage): Promise<string[]> {
  const { offset, limit, revokedLast = false } = page;
  const idsOf = async (narrow: KeyFilter, from: number, count: number): Promise<string[]> =>
    count <= 0 ? [] : inOrder(db, whose, narrow, page).offset(from).limit(count).pluck('api_keys.id');
  if (!revokedLast) return idsOf(filter, offset, limit);
  const living = { ...filter, statuses: KEY_STATUSES.filter((one) => one !== 'revoked') };
  const found = await idsOf(living, offset, limit);
  if (found.length === limit) return found;
  const before = found.length > 0 ? offset + found.length : await countApiKeys(db, whose, living, offset);
  const revoked = await idsOf(
    { ...filter, statuses: ['revoked'] },
    offset + found.length - before,
    limit - found.length,
  );
  return [...found, ...revoked];
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
  // Other keys that need attention are few, and found by what they need it for.
  if (attention && attention !== 'endless' && attention !== 'breaking') return undefined;
  return sort === 'name' && isSqlite(db) ? BY_NAME_SQLITE : SORTED[sort].index;
}
