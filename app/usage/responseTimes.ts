import type { Db } from '../../db/connection/connect.ts';
import { REQUESTS_KEPT_MS, responseMsAt, responseMsWithin } from '../../db/tables/usage/apiKeyUsage.ts';
import type { KeySpan } from '../../db/tables/usage/tenantUsageHours.ts';

/** Up to so many requests are all read; of more a sample is. */
const READ_AT_MOST = 5_000;
const SAMPLED_AT_ONCE = 100;

/** How long requests took: half of them took less than the median, 95 of 100 less than `p95Ms`. */
export interface ResponseTimes {
  medianMs: number;
  p95Ms: number;
  /** How many requests were looked at. */
  sampled: number;
  isSample: boolean;
}

/**
 * How long the requests of keys took that were counted in these spans; undefined where some of them are older than requests
 * are kept, or nothing is there. Of many requests it reads some at points that are spread evenly over all.
 */
export async function responseTimes(
  db: Db,
  tenantId: string,
  counted: readonly KeySpan[],
  now: number,
): Promise<ResponseTimes | undefined> {
  const total = counted.reduce((sum, { requests }) => sum + requests, 0);
  if (total === 0 || counted.some(({ to }) => to < now - REQUESTS_KEPT_MS)) return undefined;
  const isSample = total > READ_AT_MOST;
  const read = isSample
    ? await responseMsAt(db, tenantId, pointsIn(counted, total), SAMPLED_AT_ONCE)
    : await responseMsWithin(db, tenantId, keysAndSpan(counted), READ_AT_MOST);
  const sorted = read.sort((a, b) => a - b);
  const [medianMs, p95Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.95)];
  if (medianMs === undefined || p95Ms === undefined) return undefined;
  return { medianMs, p95Ms, sampled: sorted.length, isSample };
}

/** Spans of keys that begin where a certain request stands if all of them stood in one line, each as far from the next. */
function pointsIn(counted: readonly KeySpan[], total: number): KeySpan[] {
  const distance = (total * SAMPLED_AT_ONCE) / READ_AT_MOST;
  const points: KeySpan[] = [];
  const { to: end } = keysAndSpan(counted);
  let before = 0;
  for (const { keyId, from, to, requests } of counted) {
    while ((points.length + 0.5) * distance < before + requests) {
      const share = ((points.length + 0.5) * distance - before) / requests;
      points.push({ keyId, from: Math.floor(from + share * (to - from)), to: end, requests });
    }
    before += requests;
  }
  return points;
}

function keysAndSpan(counted: readonly KeySpan[]) {
  return {
    keyIds: [...new Set(counted.map(({ keyId }) => keyId))],
    from: Math.min(...counted.map(({ from }) => from)),
    to: Math.max(...counted.map(({ to }) => to)),
  };
}

/** The smallest of the sorted numbers that this share of them does not exceed. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
