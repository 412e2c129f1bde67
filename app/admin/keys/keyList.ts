import type { Db } from '../../../db/connection/connect.ts';
import {
  countAttention,
  hasMoreInUse,
  MOST_CHECKED,
  type KeyAttention,
  KEY_ATTENTIONS,
} from '../../../db/tables/keys/apiKeyAttention.ts';
import { countApiKeys, narrowed, pageOfApiKeys, type KeySort } from '../../../db/tables/keys/apiKeyList.ts';
import { findKeyPeople, type Named } from '../../../db/tables/keys/apiKeyPeople.ts';
import { findApiKey, findApiKeys, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { countUsesSince } from '../../../db/tables/usage/apiKeyUsage.ts';
import { sumByDay } from '../../../db/tables/usage/apiKeyUsageMonths.ts';
import type { Tenant } from '../../context.ts';
import type { KeyFilter, KeyReach } from '../../../db/tables/keys/apiKeyFilter.ts';
import { keyStatus } from '../../domain/keyStatus.ts';
import { LIST_STATUSES, listPath, TENANT_OWNER, type ListAddress, type ListQuery } from './keyAddress.ts';
import { MOST_USES, SPARK_DAYS } from './keyView.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { Texts } from '../../locales/texts.ts';

export const PAGE_SIZE = 50;
/** Keys that need attention are counted up to one page; beyond it the page shows a plus. */
export const MOST_ATTENTION = PAGE_SIZE;

/** The filter offers the keys of so many people. */
const MOST_OWNERS = 200;

const DAY_MS = 86_400_000;

/** A page of a tenant's keys. */
export interface KeyPage {
  keys: ApiKey[];
  total: number;
  totalIsAtLeast: boolean;
  hasMore: boolean;
}

/** The usage that the rows show. */
export interface KeyUses {
  /** Requests a day, the oldest first. */
  days: ReadonlyMap<string, number[]>;
  /** Requests of replaced keys since they were replaced. */
  sinceRotation: ReadonlyMap<string, number>;
}

/** What a page of the list is read for. */
export interface ListRequest {
  wanted: ListQuery;
  /** Whose keys open the route that the list is narrowed to, and by which scopes; undefined where it is not. */
  reach: readonly KeyReach[] | undefined;
  now: number;
}

/** Loads one page of the list; revoked keys come last unless the list is narrowed to some. */
export async function loadKeys(db: Db, tenant: Tenant, request: ListRequest): Promise<KeyPage> {
  const { status, attention, page, sort } = request.wanted;
  const { keys, ...total } = await pageOfApiKeys(db, tenant.id, filterOf(tenant, request), {
    ...sort,
    offset: (page - 1) * PAGE_SIZE,
    limit: PAGE_SIZE + 1,
    revokedLast: status === undefined && attention === undefined && request.reach === undefined,
  });
  return { keys: keys.slice(0, PAGE_SIZE), ...total, hasMore: keys.length > PAGE_SIZE };
}

function filterOf({ policy }: Tenant, { wanted, reach, now }: ListRequest): KeyFilter {
  const { status, scope, environment, owner, q, attention } = wanted;
  const endsSoon = status === 'expiring';
  // Only a key that is valid opens a route.
  const open = reach && (['active', 'rotating'] as const);
  const statuses = status === undefined || endsSoon ? open : (open ?? [status]).filter((one) => one === status);
  return { statuses, scope, environment, owner, text: q, attention, endsSoon, reach, rules: policy, now };
}

/** What the links of a list lead back to: the address of the list, and its parameters. */
export interface ListLink {
  keys: string;
  address: ListAddress;
}

/** The last page of the list where a later one was asked for; undefined where nothing fits at all. */
export async function pageBeyond(
  db: Db,
  tenant: Tenant,
  request: ListRequest,
  { keys, address }: ListLink,
): Promise<{ page: number; pages: number; last: string } | undefined> {
  const { page } = request.wanted;
  if (page === 1) return undefined;
  const filter = await narrowed(db, tenant.id, filterOf(tenant, request));
  const count = await countApiKeys(db, tenant.id, filter);
  if (count === 0) return undefined;
  const pages = Math.ceil(count / PAGE_SIZE);
  return { page, pages, last: listPath(keys, address, { page: pages === 1 ? undefined : String(pages) }) };
}

/**
 * The names of the owners and creators of the keys of a page; with `offers` the people whose keys the filter offers too, among
 * them the one it is set to.
 */
export async function loadPeople(
  db: Db,
  tenantId: string,
  { keys }: KeyPage,
  { owner }: ListQuery,
  offers: boolean,
): Promise<{ names: ReadonlyMap<string, string>; owners: Named[] }> {
  const ids = new Set(keys.flatMap(({ userId, createdBy }) => [userId, createdBy].filter((id) => id !== null)));
  if (owner) ids.add(owner);
  const { names, owners } = await findKeyPeople(db, tenantId, [...ids], offers ? MOST_OWNERS : 0);
  if (!offers || !owner || owners.some(({ id }) => id === owner)) return { names, owners };
  return { names, owners: [...owners, { id: owner, name: names.get(owner) ?? owner }] };
}

/** Loads the usage of the keys of a page. */
export async function loadUses(db: Db, tenantId: string, { keys }: KeyPage, now: number): Promise<KeyUses> {
  const [days, sinceRotation] = await Promise.all([
    countUsesByDay(db, tenantId, keys, now),
    countUsesSinceRotation(db, tenantId, keys, now),
  ]);
  return { days, sinceRotation };
}

/** How many keys need each kind of attention. */
export async function loadAttention(
  db: Db,
  { id, policy }: Tenant,
  now: number,
): Promise<Record<KeyAttention, number>> {
  return countAttention(db, id, policy, now, MOST_ATTENTION + 1);
}

/**
 * The number of keys that the check for unused scopes covers, if the tenant has more keys than that; else undefined.
 */
export async function countOfCheckedKeys(
  db: Db,
  tenantId: string,
  { attention }: ListQuery,
  now: number,
): Promise<number | undefined> {
  if (attention !== 'overscoped') return undefined;
  return (await hasMoreInUse(db, tenantId, now)) ? MOST_CHECKED : undefined;
}

/** Whether the tenant has a key, to tell an empty tenant from an empty search. */
export async function hasAnyKey(db: Db, tenantId: string, now: number): Promise<boolean> {
  return (await countApiKeys(db, tenantId, { now }, 1)) > 0;
}

/** When a key was replaced: the moment its successor was made. */
export async function replacedAt(db: Db, key: ApiKey): Promise<number> {
  const successor = key.successorKeyId === null ? undefined : await findApiKey(db, key.tenantId, key.successorKeyId);
  return successor?.createdAt ?? key.updatedAt;
}

async function countUsesByDay(
  db: Db,
  tenantId: string,
  keys: readonly ApiKey[],
  now: number,
): Promise<ReadonlyMap<string, number[]>> {
  const today = now - (now % DAY_MS);
  const from = today - (SPARK_DAYS - 1) * DAY_MS;
  const used = keys.filter(({ lastUsedAt }) => lastUsedAt !== null && lastUsedAt >= from).map(({ id }) => id);
  return sumByDay(db, tenantId, used, { from, to: today + DAY_MS });
}

async function countUsesSinceRotation(
  db: Db,
  tenantId: string,
  keys: readonly ApiKey[],
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const rotating = keys.filter((one) => keyStatus(one, now) === 'rotating');
  const successors = await findApiKeys(
    db,
    tenantId,
    rotating.flatMap(({ successorKeyId }) => successorKeyId ?? []),
  );
  const madeAt = new Map(successors.map(({ id, createdAt }) => [id, createdAt]));
  const counts = rotating.map(async ({ id, successorKeyId, updatedAt }) => {
    const since = madeAt.get(successorKeyId ?? '') ?? updatedAt;
    return [id, await countUsesSince(db, tenantId, id, since, MOST_USES + 1)] as const;
  });
  return new Map(await Promise.all(counts));
}

interface AttentionItem {
  id: KeyAttention;
  count: number;
  /** There are more than were counted. */
  isMore: boolean;
  href: string;
  current: boolean;
}

/** Links that filter the list to keys that need attention, where there are any; a second click removes the filter. */
export function attentionItems(
  counts: Record<KeyAttention, number>,
  { keys, address }: ListLink,
  { attention }: ListQuery,
): AttentionItem[] {
  const shown = KEY_ATTENTIONS.filter((id) => counts[id] > 0 || attention === id);
  return shown.map((id) => ({
    id,
    count: Math.min(counts[id], MOST_ATTENTION),
    isMore: counts[id] > MOST_ATTENTION,
    href: listPath(keys, address.sort === undefined ? {} : { sort: address.sort }, {
      attention: attention === id ? undefined : id,
    }),
    current: attention === id,
  }));
}

/** The choices of the filter, each with "any" first; owners only where there is another one than the tenant. */
export function filterChoices(
  { t }: Pick<Texts, 't'>,
  catalogue: ScopeCatalogue,
  owners: readonly Named[],
  wanted: ListQuery,
) {
  const any = { value: '', label: t('keys.any') };
  const hasOwners = owners.length > 0 || wanted.owner !== undefined;
  return {
    status: [any, ...LIST_STATUSES.map((value) => ({ value, label: t(`ui.status_${value}`) }))],
    scope: [any, ...catalogue.scopes.map(({ scope }) => ({ value: scope, label: scope }))],
    environment: [any, ...(['live', 'test'] as const).map((value) => ({ value, label: t(`keys.${value}`) }))],
    owner: hasOwners
      ? [
          any,
          { value: TENANT_OWNER, label: t('keys.owner_organisation') },
          ...owners.map(({ id, name }) => ({ value: id, label: name })),
        ]
      : [],
  };
}

interface SortLink {
  href: string;
  direction: '' | 'ascending' | 'descending';
}

/** The sort links of the columns: a click reverses the order; the first click sorts by what is mostly looked for. */
export function listHeads({ keys, address }: ListLink, { sort }: ListQuery): { heads: Record<KeySort, SortLink> } {
  const head = (column: KeySort, descendsFirst: boolean): SortLink => {
    const isSorted = sort.sort === column;
    const descends = isSorted ? !sort.descending : descendsFirst;
    return {
      href: listPath(keys, address, { sort: `${descends ? '-' : ''}${column}`, page: undefined }),
      direction: isSorted ? (sort.descending ? 'descending' : 'ascending') : '',
    };
  };
  return {
    heads: {
      name: head('name', false),
      createdAt: head('createdAt', true),
      lastUsedAt: head('lastUsedAt', true),
      expiresAt: head('expiresAt', false),
    },
  };
}

interface Paging {
  from: number;
  to: number;
  total: number;
  /** There are more than `total`. */
  isMore: boolean;
  previous?: string;
  next?: string;
}

/** The rows that a page covers, and the links to the previous and next page. */
export function listPaging(
  { keys: shown, total, totalIsAtLeast, hasMore }: KeyPage,
  { keys, address }: ListLink,
  { page }: ListQuery,
): Paging {
  const from = (page - 1) * PAGE_SIZE;
  const at = (number: number) => listPath(keys, address, { page: number === 1 ? undefined : String(number) });
  return {
    from: from + 1,
    to: from + shown.length,
    total,
    isMore: totalIsAtLeast,
    ...(page > 1 && { previous: at(page - 1) }),
    ...(hasMore && { next: at(page + 1) }),
  };
}
