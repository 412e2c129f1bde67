import type { Db } from './connect.ts';

/** Stands in the place of a process that wrote a batch of uses, and is none. */
const PROBE = 'health';

/** Writes one small row, always the same one, and rejects with what keeps the database from taking it. */
export async function probeWrite(db: Db, now: number): Promise<void> {
  await db('usage_batches')
    .insert({ process_id: PROBE, sequence: 0, created_at: now })
    .onConflict(['process_id', 'sequence'])
    .merge(['created_at']);
}
