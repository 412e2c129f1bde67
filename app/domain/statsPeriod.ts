import type { Span } from './times.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const STATS_PERIODS = ['24h', '7d', '30d'] as const;
export type StatsPeriod = (typeof STATS_PERIODS)[number];

/** How each window is divided, so that a chart of it has 24 to 30 bars. */
const DIVISION: Record<StatsPeriod, { buckets: number; hours: number }> = {
  '24h': { buckets: 24, hours: 1 },
  '7d': { buckets: 28, hours: 6 },
  '30d': { buckets: 30, hours: 24 },
};

/** How requests ended. */
export interface OutcomeCounts {
  /** All that were not denied. */
  ok: number;
  denied: number;
  /** Those of `ok` that failed for another reason than being denied, of the client's making or the server's. */
  errors: number;
  clientErrors: number;
  serverErrors: number;
  /** Whether some requests were counted by a release that did not count errors, so that there may be more of them. */
  missesErrors: boolean;
}

export interface Bucket extends Span, OutcomeCounts {}

const NOTHING: OutcomeCounts = {
  ...{ ok: 0, denied: 0, errors: 0 },
  ...{ clientErrors: 0, serverErrors: 0, missesErrors: false },
};

/** The window that ends with the hours `now` lies in, in empty buckets that begin on the clock in UTC. */
export function emptyBuckets(window: StatsPeriod, now: number): [Bucket, ...Bucket[]] {
  const { buckets, hours } = DIVISION[window];
  const length = hours * HOUR_MS;
  const last = now - (now % length);
  return bucketsFrom(last - (buckets - 1) * length, last + length, length);
}

/** The hours that a span touches, as one span. */
export function wholeHours({ from, to }: Span): Span {
  return { from: Math.floor(from / HOUR_MS) * HOUR_MS, to: Math.ceil(to / HOUR_MS) * HOUR_MS };
}

/** Up to how many days are divided into spans of so many hours, so that a chart has at most 60 bars. */
const DIVISIONS = [
  { days: 2, hours: 1 },
  { days: 10, hours: 6 },
  { days: 60, hours: 24 },
] as const;
const WEEK_HOURS = 7 * 24;

/** Whole hours in empty buckets of hours, days or weeks; the last is shorter where they do not come out even. */
export function bucketsOf({ from, to }: Span): [Bucket, ...Bucket[]] {
  const { hours } = DIVISIONS.find(({ days }) => to - from <= days * DAY_MS) ?? { hours: WEEK_HOURS };
  return bucketsFrom(from, to, hours * HOUR_MS);
}

function bucketsFrom(from: number, to: number, length: number): [Bucket, ...Bucket[]] {
  const bucketAt = (start: number): Bucket => ({
    ...{ from: start, to: Math.min(start + length, to) },
    ...NOTHING,
  });
  const further = Array.from({ length: Math.ceil((to - from) / length) - 1 }, (_, i) => from + (i + 1) * length);
  return [bucketAt(from), ...further.map(bucketAt)];
}

/** The span that buckets cover. */
export function spanOf(buckets: readonly [Bucket, ...Bucket[]]): Span {
  return { from: buckets[0].from, to: buckets.at(-1)?.to ?? buckets[0].to };
}

/** The shortest window in which something last used at this moment was used; undefined if that is longer ago than any. */
export function periodOfUse(lastUsedAt: number, now: number): StatsPeriod | undefined {
  return STATS_PERIODS.find((window) => lastUsedAt >= emptyBuckets(window, now)[0].from);
}

export interface Totals extends OutcomeCounts {
  requests: number;
  /** Null without requests. */
  averageMs: number | null;
}

/** Adds each hour to the bucket it lies in, and gives the sums of all. */
export function fillBuckets(
  buckets: readonly Bucket[],
  hours: readonly (OutcomeCounts & { hour: number; responseMs: number })[],
): Totals {
  const sums = { ...NOTHING };
  let responseMs = 0;
  for (const counted of hours) {
    const bucket = buckets.find(({ to }) => counted.hour < to);
    if (bucket) add(bucket, counted);
    add(sums, counted);
    responseMs += counted.responseMs;
  }
  const requests = sums.ok + sums.denied;
  const averageMs = requests === 0 ? null : Math.round((responseMs / requests) * 10) / 10;
  return { requests, ...sums, averageMs };
}

function add(sums: OutcomeCounts, counted: OutcomeCounts): void {
  sums.ok += counted.ok;
  sums.denied += counted.denied;
  sums.errors += counted.errors;
  sums.clientErrors += counted.clientErrors;
  sums.serverErrors += counted.serverErrors;
  if (counted.missesErrors) sums.missesErrors = true;
}
