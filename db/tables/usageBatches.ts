import type { Db } from '../connect.ts';
import { isDuplicate } from '../faults.ts';

interface Row {
  process_id: string;
  sequence: number;
  created_at: number;
}

/** Marks a batch of usage as counted; false where it already was, by a transaction whose answer got lost. */
export async function claimUsageBatch(trx: Db, processId: string, sequence: number, now: number): Promise<boolean> {
  try {
    await trx<Row>('usage_batches').insert({ process_id: processId, sequence, created_at: now });
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}
