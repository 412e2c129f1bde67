import { ownBuild, type Build } from './builds.ts';
import { latchkeyStores, type Bench } from './context.ts';
import { medianOf, ratiosOf, shown, table } from './figures.ts';
import { inRounds, Samples } from './rounds.ts';
import type { Sample } from './sample.ts';
import type { Store } from './stores.ts';
import { atRandom, latchkey } from './subjects.ts';

const LOAD = 'at random';
/** Servers of one build differ by a tenth from start to start, as V8 compiles them, so that each is started some times. */
const STARTED_TIMES = 3;
const HEAD = [
  '64 connections',
  'CPU ÷ that of what stands here',
  'cheapest ÷ cheapest',
  'CPU µs each',
  'served /s',
  'p50 ms',
  'p99 ms',
  'RSS MB',
];

/** What a check of a key costs in other builds, or with other options or releases of Node, beside what stands here, in turns. */
export async function comparePart(bench: Bench): Promise<unknown> {
  const { stores, plan, others } = bench;
  if (others.length === 0)
    throw new Error('compare wants --against <commit>, --options="<options of Node>" or --node <release>');
  const here = ownBuild();
  const own = await bench.latchkey();
  const pairs: Pair[] = own.map((store) => ({ store, build: here }));
  for (const [index, build] of others.entries()) {
    const theirs = build.root === here.root ? own : await latchkeyStores(stores, plan, build, `other_${index}`);
    pairs.push(...theirs.map((store) => ({ store, build })));
  }
  stores.pinDatabase();
  const results: Record<string, unknown> = {};
  for (const kind of plan.databases) {
    for (const keys of plan.sizes) {
      const alike = pairs.filter(({ store }) => store.kind === kind && store.keys === keys);
      results[`${kind}, ${keys} keys`] = await compared(bench, alike);
    }
  }
  return results;
}

interface Pair {
  store: Store;
  build: Build;
}

async function compared(bench: Bench, pairs: readonly Pair[]): Promise<unknown> {
  const { stores, plan, print } = bench;
  const subjects = pairs.map(({ store, build }) => latchkey(stores, store, [atRandom(store, plan.seconds)], { build }));
  const parts: Samples[] = [];
  const told: string[] = [];
  for (let time = 0; time < STARTED_TIMES; time++) {
    const part = await inRounds(bench, subjects, { paused: true });
    parts.push(part.samples);
    told.push(part.told);
  }
  const samples = Samples.together(parts);
  const [here] = subjects;
  const each = (name: string, figure: keyof Sample) => samples.each(name, LOAD, figure);
  const cost = (name: string) => each(name, 'cpuMicros');
  const rows = subjects.map(({ name }) => [
    name,
    shown(ratiosOf(cost(name), cost(here?.name ?? ''))),
    (Math.min(...cost(name)) / Math.min(...cost(here?.name ?? ''))).toFixed(2),
    ...(['cpuMicros', 'perSecond', 'p50Ms', 'p99Ms', 'rssMb'] as const).map((figure) =>
      medianOf(each(name, figure)).toFixed(figure.endsWith('Ms') ? 1 : 0),
    ),
  ]);
  print(told.join('\n'));
  print(table([HEAD, ...rows]));
  return { told, samples };
}
