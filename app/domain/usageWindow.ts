const HOUR_MS = 3_600_000;

export const USAGE_WINDOWS = ['24h', '7d', '30d'] as const;
export type UsageWindow = (typeof USAGE_WINDOWS)[number];

/** How each window is divided, so that a chart of it has 24 to 30 bars. */
const DIVISION: Record<UsageWindow, { buckets: number; hours: number }> = {
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
export function emptyBuckets(window: UsageWindow, now: number): [Bucket, ...Bucket[]] {
  const { buckets, hours } = DIVISION[window];
  const length = hours * HOUR_MS;
  const last = now - (now % length);
  const [first, ...rest] = Array.from({ length: buckets }, (_, i) => last - (buckets - 1 - i) * length);
  const bucketAt = (from: number): Bucket => ({ from, to: from + length, ok: 0, denied: 0 });
  return [bucketAt(first ?? last), ...rest.map(bucketAt)];
}
