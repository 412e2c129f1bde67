import { KeyObject } from 'node:crypto';
import type { CryptoKey, FetchImplementation } from 'jose';
import { AppError, unavailable } from '../errors.ts';
import { importOnDemand } from '../importOnDemand.ts';

/** What tokens of an outside identity provider may be signed with. */
export type OutsideAlgorithm = 'RS256' | 'ES256';

const DEADLINE_MS = 2_000;
const FRESH_MS = 600_000;
/** Key ids in tokens can be made up, so an unknown one causes at most one fetch in this time. */
const UNKNOWN_KEY_MS = 5_000;
/** A provider in trouble is asked again only after a pause. */
const TROUBLE_MS = 1_000;
const SHORTEST_RSA_BITS = 2_048;

/** The published keys of an identity provider. */
export interface KeySet {
  /** The key by its id, undefined when the provider has none for this algorithm; 503 when the provider cannot be asked. */
  find(kid: string, algorithm: OutsideAlgorithm): Promise<KeyObject | undefined>;
}

/** The key set published at a URL, remembered for up to ten minutes. */
export function keySetAt(url: string): KeySet {
  const { createRemoteJWKSet, customFetch } = importOnDemand('jose') as typeof import('jose');
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: DEADLINE_MS,
    cacheMaxAge: FRESH_MS,
    cooldownDuration: UNKNOWN_KEY_MS,
    headers: { Accept: 'application/json' },
    [customFetch]: fetchOrUnavailable(),
  });
  return {
    async find(kid, algorithm) {
      try {
        return usable(await keys({ kid, alg: algorithm }));
      } catch (error) {
        // Only a failed fetch throws an AppError; other errors say that the set has no such key, or an unreadable one.
        if (error instanceof AppError) throw error;
        return undefined;
      }
    },
  };
}

/** Fetches a key set, or throws a 503: whatever keeps its keys from being known says nothing about a token. */
function fetchOrUnavailable(): FetchImplementation {
  let trouble: { at: number; cause: unknown } | undefined;
  return async (url, options) => {
    if (trouble && Date.now() - trouble.at < TROUBLE_MS) throw unavailable(trouble.cause);
    try {
      const keys = await keysIn(await fetch(url, options));
      trouble = undefined;
      return Response.json({ keys });
    } catch (cause) {
      trouble = { at: Date.now(), cause };
      throw unavailable(cause);
    }
  };
}

/** The keys of a set; an entry that is no object must not cost the others. */
async function keysIn(response: Response): Promise<unknown[]> {
  if (response.status !== 200) throw new Error(`the key set was answered with ${response.status}`);
  const { keys } = ((await response.json()) ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the key set has no list of keys');
  const entries: unknown[] = keys;
  return entries.filter((key) => typeof key === 'object' && key !== null && !Array.isArray(key));
}

function usable(published: CryptoKey): KeyObject | undefined {
  const key = KeyObject.from(published);
  const isShort = key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA_BITS;
  return isShort ? undefined : key;
}
