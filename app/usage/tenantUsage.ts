import type { Db } from '../../db/connection/connect.ts';
import {
  busiestEndpointsOfTenant,
  busiestKeys,
  mostDenied,
  sumKeysByPart,
  sumTenantByHour,
} from '../../db/tables/usage/tenantUsageHours.ts';
import type { Outcomes } from '../../db/tables/usage/apiKeyUsageHours.ts';
import { findApiKeys, type ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { fillBuckets, spanOf, type Totals, type Bucket } from '../domain/statsPeriod.ts';
import type { Span } from '../domain/times.ts';
import { responseTimes, type ResponseTimes } from './responseTimes.ts';

const MOST = 10;
/** The keys whose response times are looked at, in parts of a day. */
const SAMPLED_KEYS = 100;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** What all keys of a tenant were used for in a span of time. */
export interface TenantUsage extends Span {
  /** The average is null where there was no request. */
  totals: Totals;
  /** Undefined where requests of the span are no longer kept, or there was none. */
  times: ResponseTimes | undefined;
  buckets: Bucket[];
  keys: (Outcomes & { keyId: string })[];
  endpoints: (Outcomes & { method: string; endpoint: string })[];
  denials: { keyId: string; method: string; endpoint: string; scope: string; denied: number }[];
  /** The keys that are spoken of, by id; those deleted since are missing. */
  known: ReadonlyMap<string, ApiKey>;
}

/** Sums the hourly counts of a tenant into these empty buckets. */
export async function tenantUsage(
  db: Db,
  tenantId: string,
  buckets: [Bucket, ...Bucket[]],
  now: number,
): Promise<TenantUsage> {
  const span = spanOf(buckets);
  const hours = await sumTenantByHour(db, tenantId, span);
  const busiest = await busiestKeys(db, tenantId, span, SAMPLED_KEYS);
  const keys = busiest.slice(0, MOST);
  const denials = await mostDenied(db, tenantId, span, MOST);
  const ids = new Set([...keys, ...denials].map(({ keyId }) => keyId));
  const known = await findApiKeys(db, tenantId, [...ids]);
  const length = span.to - span.from > 2 * DAY_MS ? DAY_MS : HOUR_MS;
  const sampled = busiest.map(({ keyId }) => keyId);
  const parts = sampled.length === 0 ? [] : await sumKeysByPart(db, tenantId, sampled, span, length);

  const totals = fillBuckets(buckets, hours);
  return {
    ...span,
    totals,
    times: await responseTimes(db, tenantId, parts, now),
    buckets,
    keys,
    endpoints: await busiestEndpointsOfTenant(db, tenantId, span, MOST),
    denials,
    known: new Map(known.map((key) => [key.id, key])),
  };
}
