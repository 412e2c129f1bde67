import { z } from 'zod';
import { HOURS_KEPT_MS } from '../../db/tables/usage/apiKeyUsageHours.ts';
import { Instant } from '../domain/instant.ts';
import type { Problem } from '../domain/problem.ts';
import {
  bucketsOf,
  emptyBuckets,
  STATS_PERIODS,
  wholeHours,
  type Bucket,
  type StatsPeriod,
} from '../domain/statsPeriod.ts';
import { AppError } from '../errors.ts';

const DAY_MS = 86_400_000;

/** The span of time that use is summed up over. */
export const StatsQuery = z.strictObject({
  window: z.enum(STATS_PERIODS).optional().describe('The last 24 hours, 7 or 30 days; `24h` where nothing is given.'),
  from: Instant.optional().describe('In the place of `window`: the first moment, at most 396 days ago.'),
  to: Instant.optional().describe('The end; now where it is left out or lies in the future.'),
});
export type StatsQuery = z.output<typeof StatsQuery>;

/** The span that was asked for in empty buckets, and its name where it has one; whole hours, since so use is counted. */
export function statsSpan(
  { window, from, to = Infinity }: StatsQuery,
  now: number,
): { window: StatsPeriod | null; buckets: [Bucket, ...Bucket[]] } {
  if (from === undefined) {
    if (to !== Infinity) throw refused('from', { key: 'required' });
    const shown = window ?? '24h';
    return { window: shown, buckets: emptyBuckets(shown, now) };
  }
  if (window !== undefined) throw refused('window', { key: 'window_or_from' });
  const end = Math.min(to, now);
  if (from >= end) throw refused('from', { key: 'must_lie_before_end' });
  if (from < now - HOURS_KEPT_MS)
    throw refused('from', { key: 'counts_kept', values: { days: HOURS_KEPT_MS / DAY_MS } });
  return { window: null, buckets: bucketsOf(wholeHours({ from, to: end })) };
}

function refused(path: string, problem: Problem): AppError {
  return new AppError('invalid_query', 'query_not_understood', { errors: [{ path, problem }] });
}
