import { ownBuild, type Build } from './builds.ts';
import type { Generator } from './load.ts';
import type { Order } from './seed.ts';
import type { Kind, Store, Stores } from './stores.ts';

export interface Plan {
  databases: readonly Kind[];
  /** How many keys the databases hold, from few to many. */
  sizes: readonly number[];
  /** Whether every key has a text, so that all of them can be used. */
  everyKey: boolean;
  /** How many keys the large tenant has, and how many rows each of audit and of usage. */
  tenantKeys: number;
  history: number;
  memoryRequests: number;
  rounds: number;
  seconds: number;
  singleSeconds: number;
  pacedSeconds: number;
  warmSeconds: number;
}

/** What every part of the bench works with. */
export interface Bench {
  stores: Stores;
  generator: Generator;
  plan: Plan;
  /** What `compare` and `memory` measure beside what stands here. */
  others: readonly Build[];
  print: (text: string) => void;
  /** The databases in every size, filled when a part first asks for them. */
  latchkey(): Promise<Store[]>;
}

/** Makes and fills Latchkey's databases as a build has them, a hundred keys in each tenant. */
export async function latchkeyStores(stores: Stores, plan: Plan, build: Build = ownBuild(), name = 'latchkey') {
  const made = await forEach(plan, async (kind, keys) => stores.store(kind, keys, `${name}_${keys}`, plan));
  await Promise.all(made.map(async (store) => stores.migrate(store, build)));
  await fill(stores, made, (store) => ({
    what: 'latchkey',
    count: store.keys,
    largeTenant: false,
    ...store,
    ...(store.everyFile !== undefined && { keysFile: store.everyFile }),
  }));
  return made;
}

/** Fills the tables of Better Auth with as many keys of the same texts. */
export async function betterAuthStores(stores: Stores, plan: Plan): Promise<Store[]> {
  const made = await forEach(plan, async (kind, keys) => stores.betterAuthStore(kind, keys, `better_auth_${keys}`));
  await fill(stores, made, (store) => ({ what: 'better-auth', count: store.keys, ...store }));
  return made;
}

async function forEach(
  { databases, sizes }: Plan,
  make: (kind: Kind, keys: number) => Promise<Store>,
): Promise<Store[]> {
  return Promise.all(databases.flatMap((kind) => sizes.map(async (keys) => make(kind, keys))));
}

/** One program for each kind of database, since they can work side by side. */
async function fill(stores: Stores, made: readonly Store[], orderOf: (store: Store) => Order): Promise<void> {
  const kinds = [...new Set(made.map(({ kind }) => kind))];
  await stores.fill(kinds.map((kind) => made.filter((store) => store.kind === kind).map(orderOf)));
}
