import { z } from 'zod';
import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import { iso } from '../../domain/times.ts';
import { STATS_PERIODS } from '../../domain/statsPeriod.ts';
import type { UsageStats } from '../../usage/usageStats.ts';

const Time = z.iso.datetime();
const Count = z.int();

/** One request made with a key. */
export const KeyUsageAnswer = z.strictObject({
  id: z.string(),
  method: z.string(),
  endpoint: z.string(),
  statusCode: z.int(),
  ipAddress: z.string().nullable(),
  userAgent: z.string().nullable(),
  responseTimeMs: z.int(),
  createdAt: Time,
});

export const KeyUsageListAnswer = z.strictObject({
  data: z.array(KeyUsageAnswer),
  nextCursor: z.string().nullable(),
});

/** What a key was used for. */
export const UsageStatsAnswer = z.strictObject({
  window: z.enum(STATS_PERIODS),
  from: Time,
  to: Time,
  totals: z.strictObject({ requests: Count, ok: Count, denied: Count, averageMs: z.number().nullable() }),
  buckets: z.array(z.strictObject({ from: Time, to: Time, ok: Count, denied: Count })),
  topEndpoints: z.array(z.strictObject({ method: z.string(), endpoint: z.string(), requests: Count })),
  scopes: z.strictObject({
    used: z.array(z.strictObject({ scope: z.string(), requests: Count })),
    neverUsed: z.array(z.string()),
  }),
});

export function presentKeyUsage(usage: KeyUsage): z.output<typeof KeyUsageAnswer> {
  return {
    id: usage.id,
    method: usage.method,
    endpoint: usage.endpoint,
    statusCode: usage.statusCode,
    ipAddress: usage.ip,
    userAgent: usage.userAgent,
    responseTimeMs: Math.round(usage.responseMs),
    createdAt: iso(usage.createdAt),
  };
}

export function presentUsageStats(stats: UsageStats): z.output<typeof UsageStatsAnswer> {
  const { window, from, to, totals, buckets, topEndpoints, scopes } = stats;
  return {
    window,
    from: iso(from),
    to: iso(to),
    totals: { requests: totals.requests, ok: totals.ok, denied: totals.denied, averageMs: totals.averageMs },
    buckets: buckets.map((one) => ({ from: iso(one.from), to: iso(one.to), ok: one.ok, denied: one.denied })),
    topEndpoints: topEndpoints.map(({ method, endpoint, requests }) => ({ method, endpoint, requests })),
    scopes,
  };
}
