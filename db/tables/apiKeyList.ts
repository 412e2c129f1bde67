import type { Knex } from 'knex';
import { joinInOrder, strictlyAlong } from '../along.ts';
import { isSqlite, type Db } from '../connect.ts';
import { overscopedKeys } from './apiKeyAttention.ts';
import { countByLife } from './apiKeyCounts.ts';
import { EVERY_TENANT, matching, whereMatching, type KeyFilter, type Whose } from './apiKeyFilter.ts';
import { BY_CREATION, BY_EXPIRY, BY_GRACE, BY_LAST_USE, BY_NAME, BY_NAME_SQLITE } from './apiKeyIndexes.ts';
import { foundByParts, keysWithText } from './apiKeyParts.ts';
import { COLUMNS, keyOf, type Row } from './apiKeyRow.ts';
import type { ApiKey } from './apiKeys.ts';
import { firstWithScope, keysWithScope } from './apiKeyScopes.ts';

export const KEY_SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'] as const;
export type KeySort = (typeof KEY_SORTS)[number];

export interface KeyPage {
  sort: KeySort;
  descending: boolean;
  offset: number;
  limit: number;
}

/** So few keys are looked at one by one; of more, enough for a page are met soon on the way through all. */
const FEW = 1_000;
/** What is searched for is counted up to here, or the end of the page that is asked for where that lies further. */
const MOST_COUNTED = 1_000;

/** In the order of which index the lists lie; names without regard to case. */
const SORTED: Record<KeySort, { column: keyof Row; index: string }> = {
  createdAt: { column: 'created_at', index: BY_CREATION },
  name: { column: 'name', index: BY_NAME },
  lastUsedAt: { column: 'last_used_at', index: BY_LAST_USE },
  expiresAt: { column: 'expires_at', index: BY_EXPIRY },
};

/**
 * One page of the keys that fit, and how many fit. All are counted but where many are searched for by text or scope: then
 * the total is at least 1,000 and lies beyond the page as long as there are more.
 */
export async function pageOfApiKeys(
  db: Db,
  whose: Whose,
  filter: KeyFilter,
  page: KeyPage,
): Promise<{ keys: ApiKey[]; total: number }> {
  const found = await narrowed(db, whose, filter);
  const most = Math.max(MOST_COUNTED, page.offset + page.limit) + 1;
  const isWhole = whose === EVERY_TENANT || isCounted(found);
  const total = await countApiKeys(db, whose, found, isWhole ? undefined : most);
  const all = isWhole || total < most ? total : undefined;
  return { keys: await listApiKeys(db, whose, found, page, all), total };
}

/** The filter with the ids of the keys that it can mean, where those are few and an index tells them. */
export async function narrowed(db: Db, whose: Whose, filter: KeyFilter): Promise<KeyFilter> {
  if (whose === EVERY_TENANT) return filter;
  const { text, scope, attention, now } = filter;
  const ids =
    (attention === 'overscoped' ? await overscopedKeys(db, whose, now) : undefined) ??
    (text === undefined ? undefined : await keysWithText(db, whose, text, FEW)) ??
    (scope === undefined ? undefined : await keysWithScope(db, whose, scope, FEW)) ??
    (await endingKeys(db, whose, filter));
  return ids ? { ...filter, ids } : filter;
}

/** The keys of one page; where `total` says how many there are, the far half of the list is read from its end. */
export async function listApiKeys(
  db: Db,
  whose: Whose,
  filter: KeyFilter,
  { sort, descending, offset, limit }: KeyPage,
  total = Infinity,
): Promise<ApiKey[]> {
  const size = Math.min(limit, total - offset);
  if (size <= 0) return [];
  // MySQL reads an index upwards much faster than downwards.
  const fromEnd = offset > total * (descending ? 0.4 : 0.6);
  // The rows of a page are looked up when it is known which they are, and not for all keys before them.
  const ids = matching(db, whose, filter, filter.attention ? undefined : indexOf(db, sort))
    .select({ page_id: 'api_keys.id' })
    .offset(fromEnd ? total - offset - size : offset)
    .limit(size);
  inOrder(db, ids, sort, descending !== fromEnd);
  const rows = db<Row>(db.raw(`? ${joinInOrder(db)} api_keys on api_keys.id = page.page_id`, [ids.as('page')]));
  inOrder(db, rows, sort, descending);
  // As one text: Knex would look at each of them, for every page anew.
  return (await rows.select<Row[]>(db.raw(COLUMNS.join(', ')))).map(keyOf);
}

/** How many fit; where the matches of a large tenant need not all be counted, counting stops at `most`. */
export async function countApiKeys(db: Db, whose: Whose, filter: KeyFilter, most?: number): Promise<number> {
  if (whose !== EVERY_TENANT && isCounted(filter) && !filter.ids) {
    const total = await countByLife(db, whose, filter);
    return Math.min(total, most ?? total);
  }
  if (most === undefined) {
    const counted = await matching(db, whose, filter).count({ total: '*' }).first();
    return Number(counted?.total ?? 0);
  }
  const { rows } = await firstMatches(db, whose, filter, most);
  const [counted] = await db.from(rows.limit(most).as('some')).count<{ total: number }[]>({ total: '*' });
  return counted?.total ?? 0;
}

/** Whether what the filter asks is known of every key without looking for it. */
function isCounted({ text, scope, attention, ids }: KeyFilter): boolean {
  return ids !== undefined || (text === undefined && scope === undefined && attention === undefined);
}

/** What fits, as much as `most` of it, by a way that does not lead through all the tenant's keys. */
async function firstMatches(
  db: Db,
  whose: Whose,
  filter: KeyFilter,
  most: number,
): Promise<{ rows: Knex.QueryBuilder }> {
  const { text, scope, ids } = filter;
  if (whose !== EVERY_TENANT && !ids && (text === undefined || scope === undefined)) {
    const byText = text === undefined ? undefined : await foundByParts(db, whose, filter, most);
    if (byText) return byText;
    const granted = scope === undefined ? undefined : firstWithScope(db, whose, scope);
    if (granted) return { rows: whereMatching(granted, whose, filter).select(db.raw('1 as one')) };
  }
  return { rows: matching(db, whose, filter).select(db.raw('1 as one')) };
}

/** The few keys that end, or have ended, where only such are asked for. */
async function endingKeys(
  db: Db,
  tenantId: string,
  { statuses = [], now }: KeyFilter,
): Promise<readonly string[] | undefined> {
  const [status, ...others] = statuses;
  if (others.length > 0 || (status !== 'rotating' && status !== 'expired')) return undefined;
  const rows = db<Row>(strictlyAlong(db, 'api_keys', status === 'rotating' ? BY_GRACE : BY_EXPIRY)).limit(FEW + 1);
  if (status === 'rotating') void rows.where('grace_ends_at', '>', now);
  else void rows.where('expires_at', '<=', now).whereNull('revoked_at');
  const ids = await rows.where({ tenant_id: tenantId }).pluck('id');
  return ids.length > FEW ? undefined : ids;
}

function indexOf(db: Db, sort: KeySort): string {
  return sort === 'name' && isSqlite(db) ? BY_NAME_SQLITE : SORTED[sort].index;
}

function inOrder(db: Db, rows: Knex.QueryBuilder, sort: KeySort, descending: boolean): void {
  const order = descending ? 'desc' : 'asc';
  // MySQL's collation sorts names without regard to case; SQLite has to be asked to.
  if (sort === 'name' && isSqlite(db)) void rows.orderByRaw(`api_keys.name collate nocase ${order}`);
  else void rows.orderBy(`api_keys.${SORTED[sort].column}`, order);
  void rows.orderBy('api_keys.id', order);
}
