import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './context.ts';
import { count, ratiosOf, shown, table } from './figures.ts';
import { fullLoadTable } from './fullLoad.ts';
import { SHOW_KEY } from './requests.ts';
import { roundTrips } from './roundTrips.ts';
import { inRounds } from './rounds.ts';
import type { Store } from './stores.ts';
import { atRandom, BARE, bareKoa, latchkey, latchkeyName, startLatchkey, type NamedLoad } from './subjects.ts';
import { singleTable } from './singleConnection.ts';

const RANDOM = 'at random';
const ZIPF = 'by Zipf';
const EVERY = 'every key at random';
const SINGLE = '1 connection';

/** What a check of a key costs beside bare Koa: keys at random, as many clients use them, and one caller alone. */
export async function keysPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const own = await bench.latchkey();
  stores.pinDatabase();
  const [first] = own;
  if (!first) throw new Error('there is no database to measure on');
  const bare = bareKoa(
    stores,
    keyLoads(bench, first).filter(({ name }) => name !== ZIPF && name !== EVERY),
  );
  const ours = own.map((store) => latchkey(stores, store, keyLoads(bench, store)));
  const trips = await roundTrips(stores, own);
  const { samples, told } = await inRounds(bench, [bare, ...ours], {
    between: async () => trips.ask(plan.singleSeconds),
  });
  await trips.stop();
  print(told);
  const rows = own.flatMap((store) =>
    [RANDOM, ZIPF, ...(store.everyFile === undefined ? [] : [EVERY])].map((load) => ({
      name: `${latchkeyName(store)}, ${load}`,
      subject: latchkeyName(store),
      load,
    })),
  );
  print(fullLoadTable(samples, [{ name: BARE, subject: BARE, load: RANDOM }, ...rows], { to: BARE, load: RANDOM }));
  const most = plan.sizes.at(-1) ?? 0;
  const [few = 0] = plan.sizes;
  const grown = plan.databases.map((kind) => {
    const cost = (keys: number) => samples.each(latchkeyName({ kind, keys }), RANDOM, 'cpuMicros');
    return [
      `${kind}: processor time with ${count(few)} keys ÷ with ${count(most)}`,
      shown(ratiosOf(cost(few), cost(most))),
    ];
  });
  if (plan.sizes.length > 1) print(table([['', ''], ...grown]));
  print(
    singleTable(
      samples,
      SINGLE,
      { subject: BARE, load: SINGLE },
      own.map((store) => [latchkeyName(store), store.kind]),
      trips,
    ),
  );
  print(await counted(bench, ours, own));
  return { told, samples, roundTripMs: Object.fromEntries(trips.ms) };
}

function keyLoads({ plan }: Bench, store: Store): NamedLoad[] {
  const random = atRandom(store, plan.seconds);
  return [
    random,
    { ...random, name: ZIPF, keysFile: store.zipfFile },
    ...(store.everyFile === undefined ? [] : [{ ...random, name: EVERY, keysFile: store.everyFile }]),
    { ...random, name: SINGLE, shape: SHOW_KEY, connections: 1, seconds: plan.singleSeconds },
  ];
}

const COUNTED_WITHIN_MS = 15_000;

/** Speed bought by losing count of requests would be worth nothing; the servers were killed at the end of their turns. */
async function counted(
  { stores }: Bench,
  subjects: readonly { name: string; answered: number }[],
  own: readonly Store[],
): Promise<string> {
  const rows: string[][] = [['', 'requests answered', 'counted as usage']];
  for (const [index, store] of own.entries()) {
    const { name = '', answered = 0 } = subjects[index] ?? {};
    const server = await startLatchkey(stores, store);
    const deadline = Date.now() + COUNTED_WITHIN_MS;
    let uses = await stores.countedUses(store);
    for (; uses < answered && Date.now() < deadline; uses = await stores.countedUses(store)) await sleep(200);
    await server.stop();
    rows.push([name, count(answered), count(uses)]);
  }
  return table(rows);
}
