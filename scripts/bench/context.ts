import type { Generator } from './load.ts';
import type { Order } from './seed.ts';
import { KINDS, type Kind, type Store, type Stores } from './stores.ts';

export interface Plan {
  /** How many keys the databases hold, from few to many. */
  sizes: readonly number[];
  /** How many keys the large tenant has, and how many rows each of audit and of usage. */
  tenantKeys: number;
  history: number;
  memoryRequests: number;
  rounds: number;
  seconds: number;
  singleSeconds: number;
}

/** What every part of the bench works with. */
export interface Bench {
  stores: Stores;
  generator: Generator;
  plan: Plan;
  print: (text: string) => void;
  /** Both databases in every size, filled when a part first asks for them. */
  latchkey(): Promise<Store[]>;
}

/** Fills Latchkey's databases, a hundred keys in each tenant. */
export async function latchkeyStores(stores: Stores, sizes: readonly number[]): Promise<Store[]> {
  const made = await forEach(sizes, (kind, keys) => stores.store(kind, keys, `latchkey_${keys}`));
  await stores.fill(byKind(made, (store) => ({ what: 'latchkey', count: store.keys, largeTenant: false, ...store })));
  return made;
}

/** Fills the tables of Better Auth with as many keys of the same texts. */
export async function betterAuthStores(stores: Stores, sizes: readonly number[]): Promise<Store[]> {
  const made = await forEach(sizes, (kind, keys) => stores.betterAuthStore(kind, keys, `better_auth_${keys}`));
  await stores.fill(byKind(made, (store) => ({ what: 'better-auth', count: store.keys, ...store })));
  return made;
}

async function forEach(sizes: readonly number[], make: (kind: Kind, keys: number) => Promise<Store>): Promise<Store[]> {
  return Promise.all(KINDS.flatMap((kind) => sizes.map(async (keys) => make(kind, keys))));
}

/** One program for each kind of database, since they can work side by side. */
function byKind(stores: readonly Store[], orderOf: (store: Store) => Order): Order[][] {
  return KINDS.map((kind) => stores.filter((store) => store.kind === kind).map(orderOf));
}
