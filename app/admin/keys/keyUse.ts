import type { Db } from '../../../db/connection/connect.ts';
import { UNUSED_MS } from '../../../db/tables/keys/apiKeyAttention.ts';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { listAuditLogs } from '../../../db/tables/auditLogs.ts';
import { usesByScope } from '../../../db/tables/usage/apiKeyUsageHours.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';

const LATELY_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;

/** The use of one scope of a key in the last 90 days. */
export interface ScopeUse {
  scope: string;
  requests: number;
  /** The hour of the last request that needed it, or the last use of the key where that was in this hour. */
  lastAt: number | null;
  /** Whether a request needed it within a week. */
  lately: boolean;
  /** Whether no request needed it although the key has had it for 90 days. */
  idle: boolean;
}

/** For each scope of the key, the requests it opened; one that two scopes open counts for both. */
export async function scopeUses(db: Db, key: ApiKey, catalogue: ScopeCatalogue, now: number): Promise<ScopeUse[]> {
  const asked = await usesByScope(db, key.tenantId, key.id, { from: now - UNUSED_MS, to: now + 1 });
  // What an imported key was used for before is not known here.
  const isOld = (key.importedAt ?? key.createdAt) < now - UNUSED_MS;
  const added = isOld ? await scopesAdded(db, key, now - UNUSED_MS) : new Set();
  return key.scopes.map((scope) => {
    const opened = asked.filter((one) => catalogue.opens(scope, one.scope));
    const lastAt = opened.length === 0 ? null : momentIn(Math.max(...opened.map(({ lastHour }) => lastHour)), key);
    const requests = opened.reduce((sum, one) => sum + one.requests, 0);
    return {
      scope,
      requests,
      lastAt,
      lately: lastAt !== null && lastAt >= now - LATELY_MS,
      idle: isOld && requests === 0 && !added.has(scope),
    };
  });
}

/** More changes of a key's scopes than anybody makes in that time. */
const MOST_CHANGES = 500;

/** The scopes that were added to a key since a moment, as its audit log tells. */
async function scopesAdded(db: Db, key: ApiKey, since: number): Promise<ReadonlySet<unknown>> {
  const changes = { action: 'API_KEY_SCOPES_UPDATED', entity: 'api_key', entityId: key.id, from: since } as const;
  const logs = await listAuditLogs(db, key.tenantId, changes, { limit: MOST_CHANGES });
  return new Set(logs.flatMap(({ before, after }) => without(scopesIn(after), scopesIn(before))));
}

const scopesIn = (fields: Record<string, unknown> | null): unknown[] =>
  Array.isArray(fields?.scopes) ? (fields.scopes as unknown[]) : [];
const without = (scopes: readonly unknown[], others: readonly unknown[]) =>
  scopes.filter((scope) => !others.includes(scope));

/** Uses of scopes are counted by hours, the first of which begins before the key was made. */
function momentIn(hour: number, { lastUsedAt }: ApiKey): number {
  return lastUsedAt !== null && lastUsedAt >= hour && lastUsedAt < hour + HOUR_MS ? lastUsedAt : hour;
}

/** The page of a new key polls this long for its first use; polling longer would keep an idle session open. */
const POLLING_MS = 10 * 60_000;

/** The first use of a new key, or the address below the list at `keys` to poll until the page gives up. */
export function firstUse(keys: string, { id, createdAt }: ApiKey, use: KeyUsage | undefined, now: number) {
  return {
    use,
    requests: `${keys}/${id}#requests`,
    asking: use === undefined && now < createdAt + POLLING_MS ? `${keys}/${id}/first-use` : undefined,
  };
}
