import type { Db } from '../../db/connection/connect.ts';
import { findLastSuccessor } from '../../db/tables/keys/apiKeyRotations.ts';
import type { KeyHolder } from '../context.ts';
import { unavailable } from '../errors.ts';
import { nextTurn } from '../timing.ts';

/** A key as its requests are counted; where it acts for another tenant than its own, its `home`. */
export type CountedKey = Pick<KeyHolder, 'id' | 'limitedBy' | 'tenant'> & Partial<Pick<KeyHolder, 'home'>>;

/** Says by which id the requests of a key are counted. */
export type KeyCounters = (key: CountedKey) => string | Promise<string>;

/**
 * A key in its grace is counted by the last key of its rotations, so that all that work meanwhile share one rate and one
 * quota. That takes one query a turn for each such key, and none for others.
 */
export function keyCounters(db: Db): KeyCounters {
  // The rate and the quota of a request ask for the same key.
  const known = new WeakMap<CountedKey, Promise<string>>();
  const waiting = new Map<string, Promise<string>>();

  return (key) => (key.limitedBy === key.id ? key.id : lastOf(key));

  function lastOf(key: CountedKey): Promise<string> {
    let last = known.get(key);
    if (!last) known.set(key, (last = waiting.get(key.id) ?? askNextTurn(key)));
    return last;
  }

  function askNextTurn({ id, limitedBy, tenant, home = tenant }: CountedKey): Promise<string> {
    const last = nextTurn()
      .then(async () => {
        waiting.delete(id);
        return findLastSuccessor(db, home.id, limitedBy);
      })
      .catch((error: unknown) => {
        throw unavailable(error);
      });
    waiting.set(id, last);
    return last;
  }
}
