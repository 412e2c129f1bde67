import type { Db } from '../../../db/connection/connect.ts';
import {
  countAttention,
  hasMoreInUse,
  MOST_LOOKED_INTO,
  type KeyAttention,
  KEY_ATTENTIONS,
} from '../../../db/tables/keys/apiKeyAttention.ts';
import { countApiKeys, narrowed, pageOfApiKeys, type KeySort } from '../../../db/tables/keys/apiKeyList.ts';
import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { countUsesSince } from '../../../db/tables/usage/apiKeyUsage.ts';
import { sumByDay } from '../../../db/tables/usage/apiKeyUsageMonths.ts';
import type { Tenant } from '../../context.ts';
import { keyStatus, KEY_STATUSES } from '../../domain/keyStatus.ts';
import { type ListQuery, listPath, type ListAddress } from './keyAddress.ts';
import { MOST_USES, SPARK_DAYS, keyView, type KeyView, type ScopeBadge } from './keyView.ts';
import type { Policy } from '../../domain/policy.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { Texts, Moment } from '../../locales/texts.ts';

export const PAGE_SIZE = 50;
/** Keys that need attention are counted up to one page; beyond it the page shows a plus. */
export const MOST_ATTENTION = PAGE_SIZE;

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

/** Loads one page of the list; revoked keys come last unless the list is narrowed to one status. */
export async function loadKeys(
  db: Db,
  { id: tenantId, policy }: Tenant,
  wanted: ListQuery,
  now: number,
): Promise<KeyPage> {
  const { status, scope, environment, q, attention, page, sort } = wanted;
  const statuses = status && [status];
  const { keys, ...total } = await pageOfApiKeys(
    db,
    tenantId,
    { statuses, scope, environment, text: q, attention, rules: policy, now },
    {
      ...sort,
      offset: (page - 1) * PAGE_SIZE,
      limit: PAGE_SIZE + 1,
      revokedLast: status === undefined && attention === undefined,
    },
  );
  return { keys: keys.slice(0, PAGE_SIZE), ...total, hasMore: keys.length > PAGE_SIZE };
}

/** What the links of a list lead back to: the address of the list, and its parameters. */
export interface ListLink {
  keys: string;
  address: ListAddress;
}

/** The last page of the list where a later one was asked for; undefined where nothing fits at all. */
export async function pageBeyond(
  db: Db,
  tenantId: string,
  wanted: ListQuery,
  { keys, address }: ListLink,
  now: number,
): Promise<{ page: number; pages: number; last: string } | undefined> {
  const { status, scope, environment, q, attention, page } = wanted;
  if (page === 1) return undefined;
  const filter = { statuses: status && [status], scope, environment, text: q, attention, now };
  const count = await countApiKeys(db, tenantId, await narrowed(db, tenantId, filter));
  if (count === 0) return undefined;
  const pages = Math.ceil(count / PAGE_SIZE);
  return { page, pages, last: listPath(keys, address, { page: pages === 1 ? undefined : String(pages) }) };
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
  return (await hasMoreInUse(db, tenantId, now)) ? MOST_LOOKED_INTO : undefined;
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
  const counts = new Map<string, number>();
  for (const key of keys.filter((one) => keyStatus(one, now) === 'rotating')) {
    counts.set(key.id, await countUsesSince(db, tenantId, key.id, await replacedAt(db, key), MOST_USES + 1));
  }
  return counts;
}

interface AttentionItem {
  id: KeyAttention;
  count: number;
  /** There are more than were counted. */
  isMore: boolean;
  href: string;
  current: boolean;
}

/** Most tenants never see these, so they take no room while there are none. */
const ONLY_IF_ANY = new Set<KeyAttention>(['leaked', 'breaking']);

/** Links that filter the list to keys that need attention; a second click removes the filter. */
export function attentionItems(
  counts: Record<KeyAttention, number>,
  { keys, address }: ListLink,
  { attention }: ListQuery,
): AttentionItem[] {
  const shown = KEY_ATTENTIONS.filter((id) => !ONLY_IF_ANY.has(id) || counts[id] > 0 || attention === id);
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

/** The choices of the filter, each with "any" first. */
export function filterChoices({ t }: Pick<Texts, 't'>, catalogue: ScopeCatalogue) {
  const any = { value: '', label: t('keys.any') };
  return {
    status: [any, ...KEY_STATUSES.map((value) => ({ value, label: t(`ui.status_${value}`) }))],
    scope: [any, ...catalogue.scopes.map(({ scope }) => ({ value: scope, label: scope }))],
    environment: [any, ...(['live', 'test'] as const).map((value) => ({ value, label: t(`keys.${value}`) }))],
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

/** Scopes shown as badges; the others are counted. */
const MOST_BADGES = 3;

/** A row of the list. Its texts are made here, since a template is slower over fifty rows. */
interface KeyListRow extends Pick<
  KeyView,
  'id' | 'name' | 'masked' | 'environment' | 'status' | 'note' | 'warnings' | 'lastUsedIp' | 'spark' | 'may'
> {
  path: string;
  /** The label of the row's checkbox. */
  choose: string;
  created: Moment;
  lastUsed: Moment | null;
  statusText: string;
  badges: ScopeBadge[];
  /** The scopes that have no badge. */
  more: { short: string; full: string; names: string } | undefined;
  /** The sparkline in words, for screen readers. */
  requests: string;
}

/** The rows of a page of keys, in the reader's words. */
export function keyListRows(
  keys: readonly ApiKey[],
  { days, sinceRotation }: KeyUses,
  texts: Texts,
  now: number,
  { path, manages, policy, catalogue }: { path: string; manages: boolean; policy: Policy; catalogue: ScopeCatalogue },
): KeyListRow[] {
  const { t, moment } = texts;
  return keys.map((key) => {
    const row = keyView(key, texts, now, {
      manages,
      policy,
      catalogue,
      days: days.get(key.id),
      sinceRotation: sinceRotation.get(key.id),
    });
    const { id, name, masked, environment, status, note, warnings, lastUsedIp, spark, may } = row;
    return {
      id,
      name,
      masked,
      environment,
      status,
      note,
      warnings,
      lastUsedIp,
      spark,
      may,
      path: `${path}/${id}`,
      choose: t('keys.choose_one', { name }),
      created: moment(key.createdAt, now),
      lastUsed: key.lastUsedAt === null ? null : moment(key.lastUsedAt, now),
      statusText: t(`ui.status_${status}`),
      badges: row.scopes.slice(0, MOST_BADGES),
      more: scopesWithoutBadge(key.scopes, texts),
      requests: t('ui.sparkline', { total: spark.total, days: spark.days }),
    };
  });
}

function scopesWithoutBadge(scopes: readonly string[], { t, joined }: Texts): KeyListRow['more'] {
  const count = scopes.length - MOST_BADGES;
  if (count <= 0) return undefined;
  const names = joined(scopes.slice(MOST_BADGES));
  return { short: t('ui.more', { count }), full: t('ui.more_of', { count, names }), names };
}
