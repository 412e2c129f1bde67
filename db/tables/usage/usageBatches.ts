import { isDuplicate } from '../../connection/faults.ts';
import { rowsOf, type RawDb } from '../../connection/rawDb.ts';
import { jsonRows } from '../../sql/jsonRows.ts';

/** A batch of uses, by the process that noted them and its place among that one's batches. */
export interface UsageBatch {
  processId: string;
  sequence: number;
}

const COLUMNS = { process_id: 'varchar(255)', sequence: 'bigint', created_at: 'bigint' } as const;
const NAMES = Object.keys(COLUMNS).join(', ');

/**
 * Marks batches as written, their uses or what these come to; false where they already were, by a transaction whose
 * answer got lost. Batches that were claimed together are never claimed in other company.
 */
export async function claimUsageBatches(
  trx: RawDb,
  part: 'uses' | 'sums',
  batches: readonly UsageBatch[],
  now: number,
): Promise<boolean> {
  const rows = batches.map(({ processId, sequence }) => ({
    process_id: processId,
    // Two parts of one batch, in one column: sums are below zero.
    sequence: part === 'uses' ? sequence : -1 - sequence,
    created_at: now,
  }));
  const { from, value } = jsonRows(trx, COLUMNS, rows);
  try {
    await trx.raw(`insert into usage_batches (${NAMES}) select ${NAMES} from ${from}`, [value]);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** Those of the batches whose uses are not marked as written. */
export async function batchesWithoutUses<Batch extends UsageBatch>(
  db: RawDb,
  batches: readonly { batch: Batch }[],
): Promise<Set<Batch>> {
  const rows = batches.map(({ batch: { processId, sequence } }, place) => ({ process_id: processId, sequence, place }));
  const { from, value } = jsonRows(db, { process_id: 'varchar(255)', sequence: 'bigint', place: 'bigint' }, rows);
  const joined = 'b.process_id = j.process_id and b.sequence = j.sequence';
  const claimed = await rowsOf<{ place: number }>(
    db,
    `select j.place as place from ${from} cross join usage_batches b on ${joined}`,
    [value],
  );
  const places = new Set(claimed.map(({ place }) => place));
  return new Set(batches.flatMap(({ batch }, place) => (places.has(place) ? [] : [batch])));
}
