import { LRUCache } from 'lru-cache';
import { transaction, type Db } from '../../db/connection/connect.ts';
import { noteKeyUses } from '../../db/tables/keys/apiKeys.ts';
import { noteScopeUses, type KeyScopeUse } from '../../db/tables/keys/apiKeyScopeUses.ts';
import { insertKeyUsage } from '../../db/tables/usage/apiKeyUsage.ts';
import { addKeyUsageHours } from '../../db/tables/usage/apiKeyUsageHours.ts';
import { claimUsageBatches, type UsageBatch } from '../../db/tables/usage/usageBatches.ts';
import { findCatalogue } from '../actions/grantableScopes.ts';
import { recordAuditEventsOncePerWindow } from '../actions/auditRecord.ts';
import type { UsageTotals } from './usageTotals.ts';
import type { JournalEntry } from './usageEvent.ts';
import { auditRowOfWindow, auditWindowsOf, type AuditWindow } from './auditWindow.ts';

/** A batch of uses, read and as it was written. */
export interface UsesOfBatch {
  batch: UsageBatch;
  uses: readonly JournalEntry[];
  json: string;
}

/**
 * Puts uses of keys into the database, in two steps that each happen once however often they are tried: every request
 * soon, and what they come to together once there is something to put together.
 */
export class UsageWriter {
  readonly #db: Db;
  /** The last hour of each key and address that is in the audit log, and need not be offered to it again. */
  readonly #audited = new LRUCache<string, number>({ max: 50_000 });
  /** The last day of each key and scope that the database has, so that each is offered to it once a day. */
  readonly #scopeDays = new LRUCache<string, number>({ max: 20_000 });

  constructor(db: Db) {
    this.#db = db;
  }

  /** Writes every request of the batches, and one audit row for each window of use. */
  async writeUses(batches: readonly UsesOfBatch[]): Promise<void> {
    const written: AuditWindow[] = [];
    await transaction(this.#db, async (trx) => {
      written.length = 0;
      for (const { batch, uses, json } of batches) {
        if (!(await claimUsageBatches(trx, 'uses', [batch], Date.now()))) continue;
        await insertKeyUsage(trx, batch, json);
        const windows = auditWindowsOf(uses).filter(({ place, hour }) => this.#audited.get(place) !== hour);
        await recordAuditEventsOncePerWindow(trx, windows.map(auditRowOfWindow));
        written.push(...windows);
      }
    });
    for (const { place, hour } of written) this.#audited.set(place, hour);
  }

  /** Adds up what the batches come to, and notes when their keys and scopes were last used. */
  async writeTally(batches: readonly UsageBatch[], tally: UsageTotals): Promise<void> {
    await transaction(this.#db, async (trx) => {
      if (await claimUsageBatches(trx, 'sums', batches, Date.now())) await addKeyUsageHours(trx, tally.hours);
    });
    // Done twice these are the same. Scopes first, since a key whose use is noted is judged by what it used.
    await this.#noteScopes(tally.scopeUses(await findCatalogue(this.#db)));
    // By itself, since a change of these keys has to wait for it.
    await noteKeyUses(this.#db, tally.lastUses);
  }

  async #noteScopes(uses: readonly KeyScopeUse[]): Promise<void> {
    const later = uses.filter((use) => (this.#scopeDays.get(placeOf(use)) ?? 0) < use.day);
    await noteScopeUses(this.#db, later);
    for (const use of later) this.#scopeDays.set(placeOf(use), use.day);
  }
}

function placeOf({ keyId, scope }: KeyScopeUse): string {
  return `${keyId}:${scope}`;
}
