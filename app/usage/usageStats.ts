import type { Db } from '../../db/connection/connect.ts';
import type { ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { busiestEndpoints, sumByHour, sumByScope, type Outcomes } from '../../db/tables/usage/apiKeyUsageHours.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { fillBuckets, spanOf, type Totals, type Bucket } from '../domain/statsPeriod.ts';
import type { Span } from '../domain/times.ts';
import { responseTimes, type ResponseTimes } from './responseTimes.ts';

const TOP_ENDPOINTS = 10;

/** What a key was used for in a span of time. */
export interface UsageStats extends Span {
  /** The average is null where there was no request. */
  totals: Totals;
  buckets: Bucket[];
  topEndpoints: ({ method: string; endpoint: string; requests: number } & Outcomes)[];
  scopes: {
    /** What routes asked for that the key holds. */
    used: { scope: string; requests: number }[];
    /** What the key was granted and no route asked for. */
    neverUsed: string[];
  };
}

/** Sums the hourly counts of a key into these empty buckets. */
export async function usageStats(
  db: Db,
  key: ApiKey,
  catalogue: ScopeCatalogue,
  buckets: [Bucket, ...Bucket[]],
): Promise<UsageStats> {
  const span = spanOf(buckets);
  const hours = await sumByHour(db, key.tenantId, key.id, span);
  const topEndpoints = await busiestEndpoints(db, key.tenantId, key.id, span, TOP_ENDPOINTS);
  const asked = await sumByScope(db, key.tenantId, key.id, span);

  const totals = fillBuckets(buckets, hours);
  return {
    ...span,
    totals,
    buckets,
    topEndpoints,
    scopes: {
      used: asked.filter(({ scope }) => key.scopes.some((granted) => catalogue.opens(granted, scope))),
      neverUsed: key.scopes.filter((granted) => !asked.some(({ scope }) => catalogue.opens(granted, scope))),
    },
  };
}

/** How long the requests of a key took that these buckets count; see `responseTimes`. */
export async function responseTimesOfKey(
  db: Db,
  key: ApiKey,
  buckets: readonly Bucket[],
  now: number,
): Promise<ResponseTimes | undefined> {
  const counted = buckets.map(({ from, to, ok, denied }) => ({ keyId: key.id, from, to, requests: ok + denied }));
  return responseTimes(
    db,
    key.tenantId,
    counted.filter(({ requests }) => requests > 0),
    now,
  );
}
