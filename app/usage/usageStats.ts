import type { Db } from '../../db/connection/connect.ts';
import type { ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { busiestEndpoints, sumByHour, sumByScope, type Outcomes } from '../../db/tables/usage/apiKeyUsageHours.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import {
  emptyBuckets,
  fillBuckets,
  spanOf,
  type Totals,
  type Bucket,
  type StatsPeriod,
} from '../domain/statsPeriod.ts';

const TOP_ENDPOINTS = 10;

/** What a key was used for in a window. */
export interface UsageStats {
  window: StatsPeriod;
  from: number;
  to: number;
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

/** Sums the hourly counts of a key up to now. */
export async function usageStats(
  db: Db,
  key: ApiKey,
  catalogue: ScopeCatalogue,
  window: StatsPeriod,
  now: number,
): Promise<UsageStats> {
  const buckets = emptyBuckets(window, now);
  const span = spanOf(buckets);
  const hours = await sumByHour(db, key.tenantId, key.id, span);
  const topEndpoints = await busiestEndpoints(db, key.tenantId, key.id, span, TOP_ENDPOINTS);
  const asked = await sumByScope(db, key.tenantId, key.id, span);

  const totals = fillBuckets(buckets, hours);
  return {
    window,
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
