import type { Db } from '../../../db/connection/connect.ts';
import {
  countAttention,
  hasMoreInUse,
  MOST_LOOKED_INTO,
  type KeyAttention,
} from '../../../db/tables/keys/apiKeyAttention.ts';
import { countApiKeys, pageOfApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { countUsesSince } from '../../../db/tables/usage/apiKeyUsage.ts';
import { sumByDay } from '../../../db/tables/usage/apiKeyUsageMonths.ts';
import { keyStatus } from '../../domain/keyStatus.ts';
import type { ListQuery } from './keyQuery.ts';

export const PAGE_SIZE = 50;
/** Beyond it what needs attention is only "many": more than a page of it, which somebody will not look at one by one. */
export const MOST_ATTENTION = PAGE_SIZE;
export const MOST_USES = 10_000;
export const SPARK_DAYS = 30;

const DAY_MS = 86_400_000;

/** A page of a tenant's keys. */
export interface KeyPage {
  keys: ApiKey[];
  total: number;
  totalIsAtLeast: boolean;
  hasMore: boolean;
}

/** What the rows of a page show beside their keys. */
export interface KeyUses {
  /** Requests a day, the oldest first. */
  days: ReadonlyMap<string, number[]>;
  /** Requests of replaced keys since they were replaced. */
  sinceRotation: ReadonlyMap<string, number>;
}

/** Loads one page of the list; revoked keys come last unless the list is narrowed to one status. */
export async function loadKeys(db: Db, tenantId: string, wanted: ListQuery, now: number): Promise<KeyPage> {
  const { status, scope, environment, q, attention, page, sort } = wanted;
  const statuses = status && [status];
  const { keys, ...total } = await pageOfApiKeys(
    db,
    tenantId,
    { statuses, scope, environment, text: q, attention, now },
    {
      ...sort,
      offset: (page - 1) * PAGE_SIZE,
      limit: PAGE_SIZE + 1,
      revokedLast: status === undefined && attention === undefined,
    },
  );
  return { keys: keys.slice(0, PAGE_SIZE), ...total, hasMore: keys.length > PAGE_SIZE };
}

/** Loads what the keys of a page were used for. */
export async function loadUses(db: Db, tenantId: string, { keys }: KeyPage, now: number): Promise<KeyUses> {
  const [days, sinceRotation] = await Promise.all([
    usesADay(db, tenantId, keys, now),
    usesSinceRotation(db, tenantId, keys, now),
  ]);
  return { days, sinceRotation };
}

/** How many keys need each kind of attention. */
export async function loadAttention(db: Db, tenantId: string, now: number): Promise<Record<KeyAttention, number>> {
  return countAttention(db, tenantId, now, MOST_ATTENTION + 1);
}

/** How many keys the list looks into, where the tenant has more that it would have to. */
export async function lookedIntoOnly(
  db: Db,
  tenantId: string,
  { attention }: ListQuery,
  now: number,
): Promise<number | undefined> {
  if (attention !== 'overscoped') return undefined;
  return (await hasMoreInUse(db, tenantId, now)) ? MOST_LOOKED_INTO : undefined;
}

/** Whether there is a key at all, to tell an empty tenant from an empty search. */
export async function hasAnyKey(db: Db, tenantId: string, now: number): Promise<boolean> {
  return (await countApiKeys(db, tenantId, { now }, 1)) > 0;
}

/** When a key was replaced: the moment its successor was made. */
export async function replacedAt(db: Db, key: ApiKey): Promise<number> {
  const successor = key.successorKeyId === null ? undefined : await findApiKey(db, key.tenantId, key.successorKeyId);
  return successor?.createdAt ?? key.updatedAt;
}

async function usesADay(
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

async function usesSinceRotation(
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
