import type { KeyObject } from 'node:crypto';
import { githubKeysIn, type GithubKeys } from '../domain/githubKeySet.ts';
import { unavailable } from '../errors.ts';

/** Finds the key with this identifier; undefined where GitHub has none, 503 where it cannot be asked. */
export type FindGithubKey = (identifier: string) => Promise<KeyObject | undefined>;

const DEADLINE_MS = 2_000;
const FRESH_MS = 3_600_000;
/** Identifiers can be made up, so an unknown one causes at most one fetch in this time. */
const UNKNOWN_KEY_MS = 60_000;

/** The keys of a set that was read at the start, or of one that is published at a URL and kept for up to an hour. */
export function githubKeys(source: GithubKeys | URL): FindGithubKey {
  if (!(source instanceof URL)) return async (identifier) => source.get(identifier);
  let kept: { keys: GithubKeys; at: number } | undefined;
  let asked = -Infinity;
  let asking: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    asked = Date.now();
    try {
      kept = { keys: await fetchKeys(source), at: Date.now() };
    } catch (cause) {
      // Keys that were published once go on being good while the set cannot be fetched.
      if (!kept) throw unavailable(cause);
    } finally {
      asking = undefined;
    }
  };
  return async (identifier) => {
    const isFresh = kept !== undefined && Date.now() - kept.at < FRESH_MS;
    if (asking || !kept || ((!isFresh || !kept.keys.has(identifier)) && Date.now() - asked >= UNKNOWN_KEY_MS)) {
      await (asking ??= refresh());
    }
    return kept?.keys.get(identifier);
  };
}

async function fetchKeys(url: URL): Promise<GithubKeys> {
  const answer = await fetch(url, {
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (answer.status !== 200) throw new Error(`the key set was answered with ${answer.status}`);
  return githubKeysIn(await answer.text());
}
