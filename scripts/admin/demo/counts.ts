import { findCatalogue } from '../../../app/actions/grantableScopes.ts';
import { recordAuditEventsOncePerWindow } from '../../../app/actions/auditRecord.ts';
import { lastUsesOf, UsageTotals } from '../../../app/usage/usageTotals.ts';
import type { JournalEntry } from '../../../app/usage/usageEvent.ts';
import { auditRowOfWindow, auditWindowsOf } from '../../../app/usage/auditWindow.ts';
import { transaction, type Db } from '../../../db/connection/connect.ts';
import { noteKeyUses } from '../../../db/tables/keys/apiKeys.ts';
import { noteScopeUses } from '../../../db/tables/keys/apiKeyScopeUses.ts';
import { addKeyUsageHours } from '../../../db/tables/usage/apiKeyUsageHours.ts';

/** Writes what the product still knows of requests that are older than it keeps each of them. */
export async function writeCounts(db: Db, uses: readonly JournalEntry[]): Promise<void> {
  const tally = new UsageTotals();
  for (const use of uses) tally.add(use);
  await transaction(db, async (trx) => {
    await addKeyUsageHours(trx, tally.hours);
    await recordAuditEventsOncePerWindow(trx, auditWindowsOf(uses).map(auditRowOfWindow));
    await noteScopeUses(trx, tally.scopeUses(await findCatalogue(trx)));
    await noteKeyUses(trx, lastUsesOf([tally]));
  });
}
