import { recordOncePerWindow } from '../../../app/actions/record.ts';
import { Tally } from '../../../app/keys/tally.ts';
import type { Use } from '../../../app/keys/usageEvent.ts';
import { auditedUse, windowsOf } from '../../../app/keys/useWindow.ts';
import { transaction, type Db } from '../../../db/connect.ts';
import { noteKeyUses } from '../../../db/tables/apiKeys.ts';
import { noteScopeUses } from '../../../db/tables/apiKeyScopeUses.ts';
import { addKeyUsageHours } from '../../../db/tables/apiKeyUsageHours.ts';

/** Writes what the product still knows of requests that are older than it keeps each of them. */
export async function writeCounts(db: Db, uses: readonly Use[]): Promise<void> {
  const tally = new Tally();
  for (const use of uses) tally.add(use);
  await transaction(db, async (trx) => {
    await addKeyUsageHours(trx, tally.hours);
    await recordOncePerWindow(trx, windowsOf(uses).map(auditedUse));
    await noteScopeUses(trx, tally.scopeUses);
    await noteKeyUses(trx, tally.lastUses);
  });
}
