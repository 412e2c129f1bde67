import { z } from 'zod';
import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import { iso } from '../../domain/times.ts';
import { STATS_PERIODS, type OutcomeCounts, type StatsPeriod } from '../../domain/statsPeriod.ts';
import type { ResponseTimes } from '../../usage/responseTimes.ts';
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

/** Requests by how they ended, each counted once. */
const Outcomes = {
  ok: Count,
  denied: Count.describe('Refused with 401, 403 or 429.'),
  clientErrors: Count.nullable().describe(
    'Any other 4xx. Null, as are server errors, where a release before this one counted some of the requests: errors are in `ok` then.',
  ),
  serverErrors: Count.nullable().describe('5xx.'),
};

/** What a key was used for. */
export const UsageStatsAnswer = z.strictObject({
  window: z.enum(STATS_PERIODS).nullable().describe('Null where `from` was asked for.'),
  from: Time.describe('The first moment that is counted; use is counted by the hour.'),
  to: Time,
  totals: z.strictObject({
    requests: Count,
    ...Outcomes,
    averageMs: z.number().nullable().describe('How long an answer took; null without requests.'),
    p50Ms: z
      .number()
      .nullable()
      .describe(
        'Half of the answers took at most so long. Null without requests, and where some are no longer kept: they are for 30 days. Read from a sample of more than 5,000 requests.',
      ),
    p95Ms: z.number().nullable().describe('95 of 100 answers took at most so long.'),
  }),
  buckets: z.array(z.strictObject({ from: Time, to: Time, ...Outcomes })),
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

export function presentUsageStats(
  window: StatsPeriod | null,
  { from, to, totals, buckets, topEndpoints, scopes }: UsageStats,
  times: ResponseTimes | undefined,
): z.output<typeof UsageStatsAnswer> {
  return {
    window,
    from: iso(from),
    to: iso(to),
    totals: {
      requests: totals.requests,
      ...presentOutcomes(totals),
      averageMs: totals.averageMs,
      p50Ms: inTenths(times?.medianMs),
      p95Ms: inTenths(times?.p95Ms),
    },
    buckets: buckets.map((one) => ({ from: iso(one.from), to: iso(one.to), ...presentOutcomes(one) })),
    topEndpoints: topEndpoints.map(({ method, endpoint, requests }) => ({ method, endpoint, requests })),
    scopes,
  };
}

function presentOutcomes({ ok, denied, errors, clientErrors, serverErrors, missesErrors }: OutcomeCounts) {
  if (missesErrors) return { ok, denied, clientErrors: null, serverErrors: null };
  return { ok: ok - errors, denied, clientErrors, serverErrors };
}

function inTenths(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 10) / 10;
}
