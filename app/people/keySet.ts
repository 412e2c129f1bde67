import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { unavailable } from '../errors.ts';

/** What tokens of an outside identity provider may be signed with. */
export type OutsideAlgorithm = 'RS256' | 'ES256';

const DEADLINE_MS = 2_000;
const FRESH_MS = 600_000;
/** Anybody can make up key ids, so they may cause a fetch only this often. */
const UNKNOWN_KEY_MS = 30_000;
/** A provider in trouble is asked again only after a pause. */
const TROUBLE_MS = 1_000;

/** The published keys of an identity provider. */
export interface KeySet {
  /** The key by its id, undefined when the provider has none for this algorithm; 503 when the provider cannot be asked. */
  find(kid: string, algorithm: OutsideAlgorithm): Promise<KeyObject | undefined>;
}

/** The key set published at a URL, remembered for up to ten minutes. */
export function keySetAt(url: string, now: () => number = Date.now): KeySet {
  let keys = new Map<string, KeyObject>();
  let fetchedAt = -Infinity;
  let soughtAt = -Infinity;
  let trouble: { at: number; cause: unknown } | undefined;
  let fetching: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    if (trouble && now() - trouble.at < TROUBLE_MS) throw unavailable(trouble.cause);
    fetching ??= fetchKeys().finally(() => (fetching = undefined));
    await fetching;
  }

  async function fetchKeys(): Promise<void> {
    try {
      keys = readKeys(await fetchDocument(url));
      fetchedAt = now();
      trouble = undefined;
    } catch (cause) {
      trouble = { at: now(), cause };
      throw unavailable(cause);
    }
  }

  return {
    async find(kid, algorithm) {
      const place = placeOf(kid, algorithm);
      if (now() - fetchedAt >= FRESH_MS) {
        await refresh();
      } else if (!keys.has(place) && now() - soughtAt >= UNKNOWN_KEY_MS) {
        await refresh();
        soughtAt = now();
      }
      return keys.get(place);
    },
  };
}

async function fetchDocument(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!response.ok) throw new Error(`the key set was answered with ${response.status}`);
  return response.json();
}

/** Every key of the set that may verify a signature we take; the others are no concern of ours. */
function readKeys(document: unknown): Map<string, KeyObject> {
  const { keys } = (document ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the key set has no list of keys');
  const found = new Map<string, KeyObject>();
  for (const jwk of keys as (Record<string, unknown> | null)[]) {
    const algorithm = algorithmOf(jwk ?? {});
    const key = algorithm && publicKeyOf(jwk as JsonWebKey);
    if (key && typeof jwk?.['kid'] === 'string') found.set(placeOf(jwk['kid'], algorithm), key);
  }
  return found;
}

/** The one algorithm a key is for; a key that says it is for something else is not used, whatever it could do. */
function algorithmOf({
  kty,
  crv,
  alg,
  use,
  key_ops: operations,
}: Record<string, unknown>): OutsideAlgorithm | undefined {
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
  const algorithm = kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
  return alg === undefined || alg === algorithm ? algorithm : undefined;
}

/** One unreadable key must not cost the others. */
function publicKeyOf(jwk: JsonWebKey): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const tooShort = key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    return tooShort ? undefined : key;
  } catch {
    return undefined;
  }
}

function placeOf(kid: string, algorithm: OutsideAlgorithm): string {
  return `${algorithm} ${kid}`;
}
