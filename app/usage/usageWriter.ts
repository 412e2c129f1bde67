import { LRUCache } from 'lru-cache';
import { isRefused } from '../../db/connection/faults.ts';
import { isSqlite, rawTransaction, type RawDb, type TransactionalDb } from '../../db/connection/rawDb.ts';
import { noteKeyUses } from '../../db/tables/keys/apiKeys.ts';
import { noteScopeUses, type KeyScopeUse } from '../../db/tables/keys/apiKeyScopeUses.ts';
import { insertKeyUsage, insertPlacedUses } from '../../db/tables/usage/apiKeyUsage.ts';
import { addKeyUsageHours, type KeyUsageHour } from '../../db/tables/usage/apiKeyUsageHours.ts';
import { batchesWithoutUses, claimUsageBatches, type UsageBatch } from '../../db/tables/usage/usageBatches.ts';
import { keepUsageSums, nextUsageSums, takeUsageSums } from '../../db/tables/usage/usageSums.ts';
import { compareIds } from '../../db/sql/compareIds.ts';
import { findCatalogue } from '../actions/grantableScopes.ts';
import { recordAuditEventsOncePerWindow } from '../actions/auditRecord.ts';
import { delay } from '../timing.ts';
import { lastUsesOf, type UsageTotals } from './usageTotals.ts';
import type { JournalEntry } from './usageEvent.ts';
import { auditRowOfWindow, auditWindowsOf, type AuditWindow } from './auditWindow.ts';

/** How many rows are noted in one statement, which keeps changes of these keys waiting, and on SQLite all others too. */
const NOTED_AT_ONCE = 250;
/** How many rows SQLite writes in one transaction, for which all others who write wait. */
const ROWS_AT_ONCE = 1_000;
/** How many hours of keys a sum has, or little more. */
const ROWS_OF_SUM = 20_000;

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
  /** Kept sums that the database refused to add. */
  readonly #refusedSums = new Set<string>();

  /** `pauseMs` is how long others may write between two transactions, where only one can at a time. */
  constructor(db: TransactionalDb, { pauseMs = 0 } = {}) {
    this.#db = db;
    this.#pauseMs = pauseMs;
  }

  /** How many rows a sum may have before what comes then is summed up by itself. */
  get mostRowsOfSum(): number {
    return ROWS_OF_SUM;
  }

  /** Writes every request of the batches, and one audit row for each window of use. */
  async writeUses(batches: readonly UsesOfBatch[]): Promise<void> {
    if (isSqlite(this.#db)) await this.#writeByKey(batches);
    else await this.#writeByBatch(batches);
  }

  async #writeByBatch(batches: readonly UsesOfBatch[]): Promise<void> {
    const written: AuditWindow[] = [];
    await rawTransaction(this.#db, async (trx) => {
      written.length = 0;
      for (const { batch, uses, json } of batches) {
        if (!(await claimUsageBatches(trx, 'uses', [batch], Date.now()))) continue;
        await insertKeyUsage(trx, batch, { uses, json });
        written.push(...(await this.#audit(trx, uses)));
      }
    });
    this.#noteAudited(written);
  }

  /**
   * On SQLite, where each page of an index that a transaction changes is written once more: many uses in the order of their
   * keys change few of them in each of several small transactions. Ids keep a use from being written twice, so that the
   * batches are claimed by the last one.
   */
  async #writeByKey(batches: readonly UsesOfBatch[]): Promise<void> {
    const unwritten = await batchesWithoutUses(this.#db, batches);
    const claimed = batches.filter(({ batch }) => unwritten.has(batch));
    const uses = claimed
      .flatMap(({ batch, uses: ofBatch }) => ofBatch.map((use, place) => ({ batch, place, use })))
      .sort((a, b) => compareIds(a.use.keyId, b.use.keyId));
    const slices = slicesOf(uses, ROWS_AT_ONCE);
    // A batch may hold broken lines alone.
    if (claimed.length > 0 && slices.length === 0) slices.push([]);
    for (const [index, slice] of slices.entries()) {
      const written = await rawTransaction(this.#db, async (trx) => {
        await insertPlacedUses(trx, slice);
        if (index === slices.length - 1) await this.#claimUses(trx, claimed);
        return this.#audit(
          trx,
          slice.map(({ use }) => use),
        );
      });
      this.#noteAudited(written);
      await this.#letOthersWrite();
    }
  }

  async #claimUses(trx: RawDb, batches: readonly UsesOfBatch[]): Promise<void> {
    const now = Date.now();
    for (const { batch } of batches) await claimUsageBatches(trx, 'uses', [batch], now);
  }

  /** Puts the windows of these uses into the audit log that it has not been offered yet. */
  async #audit(trx: RawDb, uses: readonly JournalEntry[]): Promise<AuditWindow[]> {
    const windows = auditWindowsOf(uses).filter(({ place, hour }) => this.#audited.get(place) !== hour);
    await recordAuditEventsOncePerWindow(trx, windows.map(auditRowOfWindow));
    return windows;
  }

  #noteAudited(windows: readonly AuditWindow[]): void {
    for (const { place, hour } of windows) this.#audited.set(place, hour);
  }

  /** Adds up what the batches come to, and notes when their keys and scopes were last used. */
  async writeSums(sums: readonly SummedBatches[]): Promise<void> {
    for (const { batches, totals } of sums) {
      await rawTransaction(this.#db, async (trx) => {
        if (await claimUsageBatches(trx, 'sums', batches, Date.now())) await this.#addHours(trx, totals.hours);
      });
      await this.#letOthersWrite();
    }
    if (isSqlite(this.#db)) await this.#addKeptSums();
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

  /** Adds hours now, or on SQLite where they are many keeps them for transactions of their own, in the order of their keys. */
  async #addHours(trx: RawDb, hours: readonly KeyUsageHour[]): Promise<void> {
    if (!isSqlite(trx) || hours.length <= ROWS_AT_ONCE) return addKeyUsageHours(trx, hours);
    const ordered = [...hours].sort((a, b) => compareIds(a.keyId, b.keyId));
    for (const slice of slicesOf(ordered, ROWS_AT_ONCE)) await keepUsageSums(trx, slice);
  }

  /** Adds what was kept, by a process that has ended too. */
  async #addKeptSums(): Promise<void> {
    for (let id = await nextUsageSums(this.#db, ''); id !== undefined; id = await nextUsageSums(this.#db, id)) {
      if (this.#refusedSums.has(id)) continue;
      const taken = id;
      try {
        await rawTransaction(this.#db, async (trx) => addKeyUsageHours(trx, await takeUsageSums(trx, taken)));
      } catch (error) {
        // Told once, and left where it is, since it would hold up all others.
        if (isRefused(error)) this.#refusedSums.add(taken);
        throw error;
      }
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
