import { medianOf, shown, spreadOf, table } from './figures.ts';
import type { Samples } from './rounds.ts';
import type { RoundTrips } from './roundTrips.ts';
import type { Kind } from './stores.ts';

/** How much longer one caller waits than for bare Koa and the database's cheapest answer together. */
export function singleTable(
  samples: Samples,
  load: string,
  bare: { subject: string; load: string },
  rows: readonly (readonly [subject: string, kind: Kind])[],
  trips: RoundTrips,
): string {
  const head = ['1 connection, times in ms', 'p50', 'p99', 'database round trip', 'p50 beyond bare Koa and round trip'];
  const times = (subject: string, of: string) => [
    medianOf(samples.each(subject, of, 'p50Ms')).toFixed(3),
    medianOf(samples.each(subject, of, 'p99Ms')).toFixed(3),
  ];
  const bareMs = samples.each(bare.subject, bare.load, 'p50Ms');
  const lines = rows.map(([subject, kind]) => {
    const trip = medianOf(trips.ms.get(kind) ?? []);
    const beyond = samples.each(subject, load, 'p50Ms').map((p50, round) => p50 - (bareMs[round] ?? NaN) - trip);
    return [subject, ...times(subject, load), trip.toFixed(3), shown(spreadOf(beyond))];
  });
  return table([head, ['bare Koa', ...times(bare.subject, bare.load)], ...lines]);
}
