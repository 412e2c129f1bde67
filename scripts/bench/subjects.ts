import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { ANSWER } from './answer.ts';
import { count } from './figures.ts';
import type { Subject } from './rounds.ts';
import { placeEnv, type Store, type Stores } from './stores.ts';

export const BARE = 'bare Koa';

type Of = Pick<Store, 'kind' | 'keys'>;
const named =
  (what: string) =>
  ({ kind, keys }: Of): string =>
    `${what}, ${kind}, ${count(keys)} keys`;

export const latchkeyName = named('Latchkey');
export const betterAuthName = named('Better Auth');
export const knexName = named('a Knex query each');

/** Koa and its router alone; the keys it is sent mean nothing to it. */
export async function bareKoa(stores: Stores, keysFile: string): Promise<Subject> {
  return { name: BARE, server: await stores.startServer('dist/scripts/bench/bareKoa.js', {}), keysFile, answered: 0 };
}

/** The product as it is built and started in production. */
export async function latchkey(stores: Stores, store: Store, env: Record<string, string> = {}): Promise<Subject> {
  const server = await stores.startServer('dist/app/main.js', { ...store.env, ...env }, await productionOptions());
  return { name: latchkeyName(store), server, keysFile: store.keysFile, answered: 0 };
}

/** What the Procfile gives Node. */
async function productionOptions(): Promise<string[]> {
  const procfile = await readFile(path.join(ROOT, 'Procfile'), 'utf8');
  return /^web: exec node (.*) dist/m.exec(procfile)?.[1]?.split(' ') ?? [];
}

export async function betterAuth(stores: Stores, store: Store): Promise<Subject> {
  const env = { ...store.env, ANSWER: JSON.stringify(ANSWER) };
  const server = await stores.startServer('scripts/bench/betterAuth.js', env);
  return { name: betterAuthName(store), server, keysFile: store.keysFile, answered: 0 };
}

export async function knexPerRequest(stores: Stores, store: Store): Promise<Subject> {
  const server = await stores.startServer('dist/scripts/bench/knexPerRequest.js', placeEnv(store.place));
  return { name: knexName(store), server, keysFile: store.keysFile, answered: 0 };
}
