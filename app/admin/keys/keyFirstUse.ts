import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import { KEYS_PATH } from './keyQuery.ts';

/** How long the page of a new key goes on asking whether it was used: longer, and it would keep a session open. */
const ASKS_FOR_MS = 10 * 60_000;

/** What the page of a new key tells of its use: its first request, or where to ask for one, until that is given up. */
export function firstUse({ id, createdAt }: ApiKey, use: KeyUsage | undefined, now: number) {
  return {
    use,
    requests: `${KEYS_PATH}/${id}#requests`,
    asking: use === undefined && now < createdAt + ASKS_FOR_MS ? `${KEYS_PATH}/${id}/first-use` : undefined,
  };
}
