const HOUR_MS = 3_600_000;

export const STATS_PERIODS = ['24h', '7d', '30d'] as const;
export type StatsPeriod = (typeof STATS_PERIODS)[number];

/** How each window is divided, so that a chart of it has 24 to 30 bars. */
const DIVISION: Record<StatsPeriod, { buckets: number; hours: number }> = {
  '24h': { buckets: 24, hours: 1 },
  '7d': { buckets: 28, hours: 6 },
  '30d': { buckets: 30, hours: 24 },
};

export interface Bucket {
  from: number;
  to: number;
  ok: number;
  denied: number;
}

/** The window that ends with the hours `now` lies in, in empty buckets that begin on the clock in UTC. */
export function emptyBuckets(window: StatsPeriod, now: number): [Bucket, ...Bucket[]] {
  const { buckets, hours } = DIVISION[window];
  const length = hours * HOUR_MS;
  const last = now - (now % length);
  const [first, ...rest] = Array.from({ length: buckets }, (_, i) => last - (buckets - 1 - i) * length);
  const bucketAt = (from: number): Bucket => ({ from, to: from + length, ok: 0, denied: 0 });
  return [bucketAt(first ?? last), ...rest.map(bucketAt)];
}

export interface Totals {
  requests: number;
  ok: number;
  denied: number;
  /** Null without requests. */
  averageMs: number | null;
}

/** Adds each hour to the bucket it lies in, and gives the sums of all. */
export function fillBuckets(
  buckets: readonly Bucket[],
  hours: readonly { hour: number; ok: number; denied: number; responseMs: number }[],
): Totals {
  const sums = { ok: 0, denied: 0, responseMs: 0 };
  for (const { hour, ok, denied, responseMs } of hours) {
    const bucket = buckets.find(({ to }) => hour < to);
    if (bucket) {
      bucket.ok += ok;
      bucket.denied += denied;
    }
    sums.ok += ok;
    sums.denied += denied;
    sums.responseMs += responseMs;
  }
  const requests = sums.ok + sums.denied;
  const averageMs = requests === 0 ? null : Math.round((sums.responseMs / requests) * 10) / 10;
  return { requests, ok: sums.ok, denied: sums.denied, averageMs };
}
