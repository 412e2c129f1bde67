import { isSqlite, type TransactionalDb } from '../../db/connection/rawDb.ts';
import type { JournalBatch } from './journal.ts';
import { readWholeLines } from './lineFile.ts';
import { UsageWriter, type SummedBatches, type UsesOfBatch } from './usageWriter.ts';
import { readJournalLines } from './usageEvent.ts';
import { UsageTotals } from './usageTotals.ts';

/** SQLite has one writer at a time: how long requests that wait to write are let in after each transaction. */
const PAUSE_MS = 5;

/** What a batch held: uses, and lines that are none. */
export interface BatchCount {
  uses: number;
  broken: number;
}

/**
 * Writes batches of the journal in two steps, each of which counts nothing twice however often it is tried: `write` puts
 * their uses into the database, `addUp` what all batches of a sum come to.
 */
export class BatchWriter {
  readonly #writer: UsageWriter;
  /** What was written and is not added up yet. */
  readonly #sums = new Map<number, SummedBatches[]>();

  constructor(db: TransactionalDb) {
    this.#writer = new UsageWriter(db, { pauseMs: isSqlite(db) ? PAUSE_MS : 0 });
  }

  /** Writes each use of the batches, which are added up with all others of the same sum later. */
  async write(batches: readonly JournalBatch[], sum: number): Promise<BatchCount[]> {
    const read = batches.map(readBatch);
    await this.#writer.writeUses(read);
    const parts = this.#sums.get(sum) ?? [];
    this.#sums.set(sum, parts);
    for (const batch of read) addTo(parts, batch, this.#writer.mostRowsOfSum);
    return read.map(({ uses, broken }) => ({ uses: uses.length, broken }));
  }

  /** Adds up what these batches come to, which are all of the sum that were written. */
  async addUp(batches: readonly JournalBatch[], sum: number): Promise<void> {
    const known = this.#sums.get(sum) ?? [];
    const isWhole = known.reduce((total, part) => total + part.batches.length, 0) === batches.length;
    // What another thread has written is read again; it may have added up any of these, so that each is claimed by itself.
    const parts = isWhole ? known : batches.map(readBatch).map(summed);
    await this.#writer.writeSums(parts);
    this.#sums.delete(sum);
  }

  /** Forgets a sum whose batches are kept aside. */
  async forget(sum: number): Promise<void> {
    this.#sums.delete(sum);
  }
}

interface ReadBatch extends UsesOfBatch {
  broken: number;
}

function readBatch(batch: JournalBatch): ReadBatch {
  return { batch, ...readJournalLines(readWholeLines(batch.file)) };
}

function summed({ batch, uses }: ReadBatch): SummedBatches {
  const totals = new UsageTotals();
  for (const use of uses) totals.add(use);
  return { batches: [batch], totals };
}

/** Adds a batch to the last part, or to a new one where that has many rows: each part is a transaction. */
function addTo(parts: SummedBatches[], read: ReadBatch, mostRows: number): void {
  const last = parts.at(-1);
  if (!last || last.totals.rows >= mostRows) {
    parts.push(summed(read));
    return;
  }
  last.batches.push(read.batch);
  for (const use of read.uses) last.totals.add(use);
}
