import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { ask, SERVER_CORE, start, type Child } from './children.ts';
import type { Bench } from './context.ts';
import { medianOf, shown, spreadOf, table } from './figures.ts';
import { each, inRounds, type Sample, type Samples, type Subject } from './rounds.ts';
import { KINDS, placeEnv, type Kind, type Store, type Stores } from './stores.ts';
import { BARE, latchkeyName } from './subjects.ts';

/** How much longer one caller waits for Latchkey than for bare Koa and the database's cheapest answer together. */
export async function singleConnection(
  bench: Bench,
  bare: Subject,
  ours: readonly Subject[],
  stores: readonly Store[],
): Promise<unknown> {
  const { rounds, singleSeconds: seconds } = bench.plan;
  const askers = askersOf(bench.stores, stores);
  const trips = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  const samples: Samples = new Map();
  for (let round = 0; round < rounds; round++) {
    const plan = { rounds: 1, connections: 1, seconds, warmUp: false };
    for (const [name, some] of await inRounds(bench, [bare, ...ours], plan)) {
      samples.set(name, [...(samples.get(name) ?? []), ...some]);
    }
    for (const [kind, child] of askers)
      trips.get(kind)?.push((await ask<{ p50Ms: number }>(child, { seconds: seconds / 2 })).p50Ms);
  }
  for (const child of askers.values()) await child.stop();
  bench.print(`1 connection, ${rounds} rounds of ${seconds} s each; times in ms`);
  bench.print(figures(samples, stores, trips));
  return { samples: Object.fromEntries(samples), roundTripMs: Object.fromEntries(trips) };
}

function figures(samples: Samples, stores: readonly Store[], trips: ReadonlyMap<Kind, number[]>): string {
  const bare = samples.get(BARE);
  const head = ['', 'p50', 'p99', 'database round trip', 'p50 beyond bare Koa and round trip'];
  const times = (of: readonly Sample[] | undefined) => [
    medianOf(each(of, 'p50Ms')).toFixed(3),
    medianOf(each(of, 'p99Ms')).toFixed(3),
  ];
  const rows = stores.map((store) => {
    const own = samples.get(latchkeyName(store));
    const trip = trips.get(store.kind) ?? [];
    const beyond = each(own, 'p50Ms').map((p50, round) => p50 - (bare?.[round]?.p50Ms ?? NaN) - (trip[round] ?? NaN));
    return [latchkeyName(store), ...times(own), medianOf(trip).toFixed(3), shown(spreadOf(beyond))];
  });
  return table([head, [BARE, ...times(bare)], ...rows]);
}

function askersOf(places: Stores, stores: readonly Store[]): Map<Kind, Child> {
  const askers = new Map<Kind, Child>();
  for (const { kind, place } of stores) {
    if (askers.has(kind)) continue;
    const program = {
      file: path.join(ROOT, 'dist/scripts/bench/roundTrip.js'),
      env: placeEnv(place),
      core: SERVER_CORE,
      log: path.join(places.folder, 'roundTrip.log'),
    };
    askers.set(kind, start(program));
  }
  return askers;
}
