import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { ask, SERVER_CORE, start, type Child } from './children.ts';
import { placeEnv, type Kind, type Store, type Stores } from './stores.ts';

/** What the cheapest question to each database took, asked again in every round. */
export interface RoundTrips {
  ms: ReadonlyMap<Kind, number[]>;
  ask(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export async function roundTrips(stores: Stores, own: readonly Store[]): Promise<RoundTrips> {
  const askers = new Map<Kind, Child>();
  for (const { kind, place } of own) {
    if (askers.has(kind)) continue;
    const program = {
      file: path.join(ROOT, 'dist/scripts/bench/roundTrip.js'),
      env: placeEnv(place),
      core: SERVER_CORE,
      log: path.join(stores.folder, 'roundTrip.log'),
    };
    askers.set(kind, start(program));
  }
  const ms = new Map<Kind, number[]>([...askers.keys()].map((kind) => [kind, []]));
  return {
    ms,
    ask: async (seconds) => {
      for (const [kind, child] of askers) {
        ms.get(kind)?.push((await ask<{ p50Ms: number }>(child, { seconds: seconds / 2 })).p50Ms);
      }
    },
    stop: async () => {
      for (const child of askers.values()) await child.stop();
    },
  };
}
