import type { Db } from '../../connection/connect.ts';
import { isDuplicate } from '../../connection/faults.ts';

/** A batch of uses, by the process that noted them and its place among that one's batches. */
export interface UsageBatch {
  processId: string;
  sequence: number;
}

interface Row {
  process_id: string;
  sequence: number;
  created_at: number;
}

/**
 * Marks batches as written, their uses or what these come to; false where they already were, by a transaction whose
 * answer got lost. Batches that were claimed together are never claimed in other company.
 */
export async function claimUsageBatches(
  trx: Db,
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
  try {
    await trx<Row>('usage_batches').insert(rows);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}
