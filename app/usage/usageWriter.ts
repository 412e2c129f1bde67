import { LRUCache } from 'lru-cache';
import { isSqlite, rawTransaction, type TransactionalDb } from '../../db/connection/rawDb.ts';
import { noteKeyUses } from '../../db/tables/keys/apiKeys.ts';
import { noteScopeUses, type KeyScopeUse } from '../../db/tables/keys/apiKeyScopeUses.ts';
import { insertKeyUsage } from '../../db/tables/usage/apiKeyUsage.ts';
import { addKeyUsageHours } from '../../db/tables/usage/apiKeyUsageHours.ts';
import { claimUsageBatches, type UsageBatch } from '../../db/tables/usage/usageBatches.ts';
import { findCatalogue } from '../actions/grantableScopes.ts';
import { recordAuditEventsOncePerWindow } from '../actions/auditRecord.ts';
import { delay } from '../timing.ts';
import { lastUsesOf, type UsageTotals } from './usageTotals.ts';
import type { JournalEntry } from './usageEvent.ts';
import { auditRowOfWindow, auditWindowsOf, type AuditWindow } from './auditWindow.ts';

/** How many rows are noted in one statement, which keeps changes of these keys waiting, and on SQLite all others too. */
const NOTED_AT_ONCE = 250;
/** How many hours of keys are added to in one transaction, or little more. */
const ROWS_OF_SUM = { sqlite: 1_000, mysql: 20_000 };

/** Batches and what they come to, which is added up in one transaction. */
export interface SummedBatches {
  batches: UsageBatch[];
  totals: UsageTotals;
}

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
  readonly #db: TransactionalDb;
  readonly #pauseMs: number;
  /** The last hour of each key and address that is in the audit log, and need not be offered to it again. */
  readonly #audited = new LRUCache<string, number>({ max: 50_000 });
  /** The last day of each key and scope that the database has, so that each is offered to it once a day. */
  readonly #scopeDays = new LRUCache<string, number>({ max: 20_000 });

  /** `pauseMs` is how long others may write between two transactions, where only one can at a time. */
  constructor(db: TransactionalDb, { pauseMs = 0 } = {}) {
    this.#db = db;
    this.#pauseMs = pauseMs;
  }

  /** How many rows a sum may have before what comes then is summed up by itself. */
  get mostRowsOfSum(): number {
    return ROWS_OF_SUM[isSqlite(this.#db) ? 'sqlite' : 'mysql'];
  }

  /** Writes every request of the batches, and one audit row for each window of use. */
  async writeUses(batches: readonly UsesOfBatch[]): Promise<void> {
    const written: AuditWindow[] = [];
    await rawTransaction(this.#db, async (trx) => {
      written.length = 0;
      for (const { batch, uses, json } of batches) {
        if (!(await claimUsageBatches(trx, 'uses', [batch], Date.now()))) continue;
        await insertKeyUsage(trx, batch, { uses, json });
        const windows = auditWindowsOf(uses).filter(({ place, hour }) => this.#audited.get(place) !== hour);
        await recordAuditEventsOncePerWindow(trx, windows.map(auditRowOfWindow));
        written.push(...windows);
      }
    });
    for (const { place, hour } of written) this.#audited.set(place, hour);
    await this.#letOthersWrite();
  }

  /** Adds up what the batches come to, and notes when their keys and scopes were last used. */
  async writeSums(sums: readonly SummedBatches[]): Promise<void> {
    for (const { batches, totals } of sums) {
      await rawTransaction(this.#db, async (trx) => {
        if (await claimUsageBatches(trx, 'sums', batches, Date.now())) await addKeyUsageHours(trx, totals.hours);
      });
      await this.#letOthersWrite();
    }
    const totals = sums.map((sum) => sum.totals);
    // Done twice these are the same. Scopes first, since a key whose use is noted is judged by what it used.
    const catalogue = await findCatalogue(this.#db);
    await this.#noteScopes(totals.flatMap((some) => some.scopeUses(catalogue)));
    // By itself, since a change of these keys has to wait for it.
    for (const uses of slicesOf(lastUsesOf(totals), NOTED_AT_ONCE)) {
      await noteKeyUses(this.#db, uses);
      await this.#letOthersWrite();
    }
  }

  async #letOthersWrite(): Promise<void> {
    if (this.#pauseMs > 0) await delay(this.#pauseMs);
  }

  async #noteScopes(uses: readonly KeyScopeUse[]): Promise<void> {
    const later = uses.filter((use) => (this.#scopeDays.get(placeOf(use)) ?? 0) < use.day);
    for (const some of slicesOf(later, NOTED_AT_ONCE)) {
      await noteScopeUses(this.#db, some);
      for (const use of some) this.#scopeDays.set(placeOf(use), use.day);
      await this.#letOthersWrite();
    }
  }
}

function placeOf({ keyId, scope }: KeyScopeUse): string {
  return `${keyId}:${scope}`;
}

/** The rows in slices of this length, the last one shorter. */
function slicesOf<Row>(rows: readonly Row[], length: number): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / length) }, (_, index) =>
    rows.slice(index * length, (index + 1) * length),
  );
}
