import { recordOncePerWindow } from '../../../app/actions/record.ts';
import { Tally } from '../../../app/usage/usageTotals.ts';
import type { Use } from '../../../app/usage/usageEvent.ts';
import { auditedUse, windowsOf } from '../../../app/usage/auditWindow.ts';
import { transaction, type Db } from '../../../db/connection/connect.ts';
import { noteKeyUses } from '../../../db/tables/keys/apiKeys.ts';
import { noteScopeUses } from '../../../db/tables/keys/apiKeyScopeUses.ts';
import { addKeyUsageHours } from '../../../db/tables/usage/apiKeyUsageHours.ts';

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
