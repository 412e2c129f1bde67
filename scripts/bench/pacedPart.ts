import type { Bench } from './context.ts';
import { count, medianOf, shown, spreadOf, table } from './figures.ts';
import type { Sample } from './sample.ts';
import { inRounds } from './rounds.ts';
import type { Store } from './stores.ts';
import { atRandom, BARE, bareKoa, latchkey, type NamedLoad } from './subjects.ts';

const PACES = [1_000, 3_000];
const nameOf = (perSecond: number) => `${count(perSecond)}/s`;
const FIGURES = ['p50Ms', 'p99Ms', 'p999Ms'] as const satisfies (keyof Sample)[];

/** How long callers wait where the server is not at its limit: requests come at a fixed rate. */
export async function pacedPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const most = (await bench.latchkey()).filter(({ keys }) => keys === plan.sizes.at(-1));
  stores.pinDatabase();
  const loads = (store: Store): NamedLoad[] =>
    PACES.map((perSecond) => ({ ...atRandom(store, plan.pacedSeconds), name: nameOf(perSecond), perSecond }));
  const subjects = [
    ...most.slice(0, 1).map((store) => bareKoa(stores, loads(store))),
    ...most.map((store) => latchkey(stores, store, loads(store))),
  ];
  const { samples, told } = await inRounds(bench, subjects);
  print(told);
  const head = [
    'requests at a fixed rate, ms',
    'p50',
    'p99',
    'p99.9',
    'p99 beyond bare Koa',
    'longest stall',
    'core used',
  ];
  const rows = PACES.map(nameOf).flatMap((load) =>
    subjects.map(({ name }) => {
      const each = (figure: keyof Sample) => samples.each(name, load, figure);
      const bare = samples.each(BARE, load, 'p99Ms');
      return [
        `${name}, ${load}`,
        ...FIGURES.map((figure) => medianOf(each(figure)).toFixed(2)),
        name === BARE ? '' : shown(spreadOf(each('p99Ms').map((ms, round) => ms - (bare[round] ?? NaN)))),
        Math.max(...each('stallMaxMs')).toFixed(1),
        `${(medianOf(each('serverBusy')) * 100).toFixed(0)}%`,
      ];
    }),
  );
  print(table([head, ...rows]));
  return { told, samples };
}
