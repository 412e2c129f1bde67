import { betterAuthStores, type Bench } from './context.ts';
import { count, ratiosOf, shown, table } from './figures.ts';
import { fullLoadTable } from './fullLoad.ts';
import { inRounds } from './rounds.ts';
import {
  atRandom,
  BARE,
  bareKoa,
  betterAuth,
  betterAuthName,
  knexName,
  knexPerRequest,
  latchkey,
  latchkeyName,
} from './subjects.ts';

/** What a check of a key costs in Better Auth, and as one query for each request, beside Latchkey and bare Koa. */
export async function peersPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const [own, theirs] = await Promise.all([bench.latchkey(), betterAuthStores(stores, plan)]);
  stores.pinDatabase();
  const most = own.filter(({ keys }) => keys === plan.sizes.at(-1));
  const loads = (store: (typeof own)[number]) => [atRandom(store, plan.seconds)];
  const subjects = [
    ...own.slice(0, 1).map((store) => bareKoa(stores, loads(store))),
    ...own.map((store) => latchkey(stores, store, loads(store))),
    ...theirs.map((store) => betterAuth(stores, store, loads(store))),
    ...most.map((store) => knexPerRequest(stores, store, loads(store))),
  ];
  const { samples, told } = await inRounds(bench, subjects);
  print(told);
  const load = 'at random';
  const rows = subjects.map(({ name }) => ({ name, subject: name, load }));
  print(fullLoadTable(samples, rows, { to: BARE, load }));
  const cost = (name: string) => samples.each(name, load, 'cpuMicros');
  const beside = (of: (typeof own)[number], what: string, other: string) => [
    `${what} ÷ Latchkey, by processor time, ${of.kind}, ${count(of.keys)} keys`,
    shown(ratiosOf(cost(other), cost(latchkeyName(of)))),
  ];
  print(
    table([
      ['', ''],
      ...own.map((of) => beside(of, 'Better Auth', betterAuthName(of))),
      ...most.map((of) => beside(of, 'a Knex query each', knexName(of))),
    ]),
  );
  return { told, samples };
}
