import { setTimeout as sleep } from 'node:timers/promises';
import { betterAuthStores, type Bench } from './context.ts';
import { count, medianOf, ratiosOf, shown, table, type Spread } from './figures.ts';
import { each, inRounds, type Sample, type Samples, type Subject } from './rounds.ts';
import { singleConnection } from './singleConnection.ts';
import { KINDS, type Store, type Stores } from './stores.ts';
import {
  BARE,
  bareKoa,
  betterAuth,
  betterAuthName,
  knexName,
  knexPerRequest,
  latchkey,
  latchkeyName,
} from './subjects.ts';

export const MANY_CONNECTIONS = 64;

/** What a check of a key costs, beside bare Koa, Better Auth and one query for each request. */
export async function keysPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const [own, theirs] = await Promise.all([bench.latchkey(), betterAuthStores(stores, plan.sizes)]);
  stores.pinDatabase();
  const most = own.filter(({ keys }) => keys === plan.sizes.at(-1));
  const bare = await bareKoa(stores, most[0]?.keysFile ?? '');
  const ours = await Promise.all(own.map(async (store) => latchkey(stores, store)));
  const others = await Promise.all([
    ...theirs.map(async (store) => betterAuth(stores, store)),
    ...most.map(async (store) => knexPerRequest(stores, store)),
  ]);
  const { rounds, seconds } = plan;
  const many = await inRounds(bench, [bare, ...ours, ...others], {
    rounds,
    connections: MANY_CONNECTIONS,
    seconds,
    warmUp: true,
  });
  print(
    `${MANY_CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each; the median of the rounds (lowest–highest)`,
  );
  print(figures(many));
  print(comparisons(many, plan.sizes));
  print(await counted(stores, ours, own));
  for (const { server } of others) await server.stop();
  const single = await singleConnection(bench, bare, ours, own);
  for (const { server } of [bare, ...ours]) await server.stop();
  return { connections64: Object.fromEntries(many), connections1: single };
}

function ratio(many: Samples, name: string, to: string): Spread {
  return ratiosOf(each(many.get(name), 'perSecond'), each(many.get(to), 'perSecond'));
}

function figures(many: Samples): string {
  const head = [
    '',
    '÷ bare Koa',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs each',
    'MariaDB µs each',
    'statements each',
    'core used',
    'done after s',
    'RSS MB',
  ];
  const rows = [...many].map(([name, samples]) => {
    const median = (of: keyof Sample) => medianOf(each(samples, of));
    return [
      name,
      shown(ratio(many, name, BARE)),
      count(median('perSecond')),
      median('p50Ms').toFixed(1),
      median('p99Ms').toFixed(1),
      median('cpuMicros').toFixed(0),
      median('databaseMicros').toFixed(0),
      median('statements').toFixed(2),
      percent(median('serverBusy')),
      median('afterSeconds').toFixed(1),
      median('rssMb').toFixed(0),
    ];
  });
  return [table([head, ...rows]), ...remarks(many.get(BARE))].join('\n');
}

const SATURATED = 0.9;

/** Whether the ratios are of servers at their limit, which is where bare Koa has to be. */
function remarks(bare: readonly Sample[] | undefined): string[] {
  const generator = medianOf(each(bare, 'generatorBusy'));
  const server = medianOf(each(bare, 'serverBusy'));
  return [
    ...(Number.isNaN(generator) ? [] : [`The load generator used ${percent(generator)} of its core against bare Koa.`]),
    ...(server < SATURATED
      ? [
          `BARE KOA GOT ONLY ${percent(server)} OF ITS CORE: others were at work on this machine, so the ratios say little.`,
        ]
      : []),
  ];
}

/** Throughput bought by losing count of requests would be worth nothing. */
async function counted(stores: Stores, subjects: readonly Subject[], own: readonly Store[]): Promise<string> {
  const rows: string[][] = [['', 'requests answered', 'counted as usage']];
  for (const [index, store] of own.entries()) {
    const { name, answered } = subjects[index] ?? { name: '', answered: 0 };
    rows.push([name, count(answered), count(await countedWithin(COUNTED_WITHIN_MS, stores, store, answered))]);
  }
  return table(rows);
}

const COUNTED_WITHIN_MS = 5_000;

async function countedWithin(ms: number, stores: Stores, store: Store, answered: number): Promise<number> {
  const deadline = Date.now() + ms;
  for (;;) {
    const uses = await stores.countedUses(store);
    if (uses >= answered || Date.now() > deadline) return uses;
    await sleep(100);
  }
}

const percent = (share: number) => `${(share * 100).toFixed(0)}%`;

function comparisons(many: Samples, sizes: readonly number[]): string {
  const [few = 0, most = 0] = [sizes[0], sizes.at(-1)];
  const rows = KINDS.flatMap((kind) => {
    const own = (keys: number) => latchkeyName({ kind, keys });
    return [
      [`Latchkey, ${kind}: ${count(most)} keys ÷ ${count(few)} keys`, shown(ratio(many, own(most), own(few)))],
      ...sizes.map((keys) => [
        `Latchkey ÷ Better Auth, ${kind}, ${count(keys)} keys`,
        shown(ratio(many, own(keys), betterAuthName({ kind, keys }))),
      ]),
      [
        `Latchkey ÷ a Knex query each, ${kind}, ${count(most)} keys`,
        shown(ratio(many, own(most), knexName({ kind, keys: most }))),
      ],
    ];
  });
  return table(rows);
}
