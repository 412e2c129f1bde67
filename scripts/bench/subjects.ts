import { readFileSync } from 'node:fs';
import { ANSWER } from './answer.ts';
import { ownBuild, type Build } from './builds.ts';
import type { ServerUnderTest } from './children.ts';
import { count } from './figures.ts';
import type { Load } from './load.ts';
import { SHOW_KEY } from './requests.ts';
import { placeEnv, type Store, type Stores } from './stores.ts';

export const BARE = 'bare Koa';
export const MANY_CONNECTIONS = 64;

/** What a server is put under, once it is chosen. */
export interface NamedLoad extends Omit<Load, 'port'> {
  name: string;
}

/** A server under test, which is started for each of its turns, and the loads of a turn. */
export interface Subject {
  name: string;
  start(): Promise<ServerUnderTest>;
  loads: readonly NamedLoad[];
  /** What it has answered so far, warm-ups included. */
  answered: number;
}

type Of = Pick<Store, 'kind' | 'keys'>;
const named =
  (what: string) =>
  ({ kind, keys }: Of): string =>
    `${what}, ${kind}, ${count(keys)} keys`;

export const latchkeyName = (of: Of, build = ownBuild()) => named(build.name)(of);
export const betterAuthName = named('Better Auth');
export const knexName = named('a Knex query each');

/** Keys at random, all of them as often. */
export function atRandom({ keysFile }: Pick<Store, 'keysFile'>, seconds: number): NamedLoad {
  return { name: 'at random', shape: SHOW_KEY, keysFile, connections: MANY_CONNECTIONS, seconds };
}

/** Koa and its router alone; the keys it is sent mean nothing to it. */
export function bareKoa(stores: Stores, loads: readonly NamedLoad[]): Subject {
  const options = { args: ownBuild().options };
  const start = async () => stores.startServer('dist/scripts/bench/bareKoa.js', {}, options);
  return { name: BARE, start, loads, answered: 0 };
}

/** The product as it is built and started in production. */
export function latchkey(
  stores: Stores,
  store: Store,
  loads: readonly NamedLoad[],
  { build = ownBuild(), env = {} }: { build?: Build; env?: Record<string, string> } = {},
): Subject {
  const start = async () => startLatchkey(stores, store, build, env);
  return { name: latchkeyName(store, build), start, loads, answered: 0 };
}

export async function startLatchkey(
  stores: Stores,
  store: Store,
  { root, node, options }: Build = ownBuild(),
  env: Record<string, string> = {},
): Promise<ServerUnderTest> {
  return stores.startServer('dist/app/main.js', { ...store.env, ...env }, { root, node, args: options });
}

export function betterAuth(stores: Stores, store: Store, loads: readonly NamedLoad[]): Subject {
  const env = { ...store.env, ANSWER: JSON.stringify(ANSWER) };
  const start = async () => stores.startServer('scripts/bench/betterAuth.js', env, { args: ownBuild().options });
  return { name: betterAuthName(store), start, loads, answered: 0 };
}

export function knexPerRequest(stores: Stores, store: Store, loads: readonly NamedLoad[]): Subject {
  const options = { args: ownBuild().options };
  const start = async () => stores.startServer('dist/scripts/bench/knexPerRequest.js', placeEnv(store.place), options);
  return { name: knexName(store), start, loads, answered: 0 };
}

/** The text of the key that may ask about all others. */
export const callerOf = ({ callerFile }: Store) => readFileSync(callerFile, 'utf8').trim();
