import type { Db } from './connect.ts';

/** A batch name that no process has. */
const PROBE = 'health';

/** Writes one small row, always the same one; rejects if the database does not take it. */
export async function probeWrite(db: Db, now: number): Promise<void> {
  await db('usage_batches')
    .insert({ process_id: PROBE, sequence: 0, created_at: now })
    .onConflict(['process_id', 'sequence'])
    .merge(['created_at']);
}
