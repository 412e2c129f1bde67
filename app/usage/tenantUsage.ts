import type { Db } from '../../db/connection/connect.ts';
import {
  busiestEndpointsOfTenant,
  busiestKeys,
  mostDenied,
  sumTenantByHour,
  type KeyUsageHour,
} from '../../db/tables/usage/apiKeyUsageHours.ts';
import { findApiKeys, type ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { emptyBuckets, fillBuckets, type Totals, type Bucket, type StatsPeriod } from '../domain/statsPeriod.ts';

const MOST = 10;

type Called = Pick<KeyUsageHour, 'ok' | 'denied'>;

/** What all keys of a tenant were used for in a window. */
export interface TenantUsage {
  window: StatsPeriod;
  from: number;
  to: number;
  /** The average is null where there was no request. */
  totals: Totals;
  buckets: Bucket[];
  keys: (Called & { keyId: string })[];
  endpoints: (Called & { method: string; endpoint: string })[];
  denials: { keyId: string; method: string; endpoint: string; scope: string; denied: number }[];
  /** The keys that are spoken of, by id; those deleted since are missing. */
  known: ReadonlyMap<string, ApiKey>;
}

/** Sums the hourly counts of a tenant up to now. */
export async function tenantUsage(db: Db, tenantId: string, window: StatsPeriod, now: number): Promise<TenantUsage> {
  const buckets = emptyBuckets(window, now);
  const span = { from: buckets[0].from, to: buckets.at(-1)?.to ?? now };
  const hours = await sumTenantByHour(db, tenantId, span);
  const keys = await busiestKeys(db, tenantId, span, MOST);
  const denials = await mostDenied(db, tenantId, span, MOST);
  const ids = new Set([...keys, ...denials].map(({ keyId }) => keyId));
  const known = await findApiKeys(db, tenantId, [...ids]);

  const totals = fillBuckets(buckets, hours);
  return {
    window,
    ...span,
    totals,
    buckets,
    keys,
    endpoints: await busiestEndpointsOfTenant(db, tenantId, span, MOST),
    denials,
    known: new Map(known.map((key) => [key.id, key])),
  };
}
