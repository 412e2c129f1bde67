import { recordOncePerWindow } from '../../../app/actions/record.ts';
import { changedFields } from '../../../app/domain/auditEvent.ts';
import { Tally } from '../../../app/keys/tally.ts';
import type { Use } from '../../../app/keys/usageEvent.ts';
import { transaction, type Db } from '../../../db/connect.ts';
import { noteKeyUses } from '../../../db/tables/apiKeys.ts';
import { addKeyUsageHours } from '../../../db/tables/apiKeyUsageHours.ts';

const MINUTE_MS = 60_000;

type AuditedUse = Parameters<typeof recordOncePerWindow>[1][number];

/** Writes what the product still knows of requests that are older than it keeps each of them. */
export async function writeCounts(db: Db, uses: readonly Use[]): Promise<void> {
  const tally = new Tally();
  for (const use of uses) tally.add(use);
  await transaction(db, async (trx) => {
    await addKeyUsageHours(trx, tally.hours);
    await recordOncePerWindow(trx, windowsOf(uses));
    await noteKeyUses(trx, tally.lastUses);
  });
}

/** The first use of each key from each address in each minute, in the words of the product. */
function windowsOf(uses: readonly Use[]): AuditedUse[] {
  const windows = new Map<string, AuditedUse>();
  for (const [keyId, tenantId, method, endpoint, statusCode, , ip, userAgent, , at, name, requestId] of uses) {
    const window = `used:${keyId}:${ip ?? ''}:${Math.floor(at / MINUTE_MS)}`;
    if (windows.has(window)) continue;
    const actor = { type: 'api_key', id: keyId, name } as const;
    windows.set(window, {
      window,
      act: { tenantId, now: at, actor, origin: { ip, userAgent, requestId } },
      event: { action: 'API_KEY_USED', entityId: keyId, ...changedFields(null, { method, endpoint, statusCode }) },
    });
  }
  return [...windows.values()];
}
