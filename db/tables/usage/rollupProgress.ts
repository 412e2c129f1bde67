import type { Db } from '../../connection/connect.ts';

/** Up to where rows were summed up: all before `until`, and of that moment the keys up to `keyId`. */
export interface RollupProgress {
  until: number;
  keyId: string;
}

type Row = { name: string; until: number; key_id: string };

/** How far a sum has come; undefined where nothing was summed up yet. */
export async function findRollupProgress(db: Db, name: string): Promise<RollupProgress | undefined> {
  return progressOf(await table(db).where({ name }).first());
}

/** The same, kept from moving until the transaction ends. */
export async function lockRollupProgress(trx: Db, name: string): Promise<RollupProgress | undefined> {
  return progressOf(await table(trx).where({ name }).forUpdate().first());
}

function progressOf(row: Row | undefined): RollupProgress | undefined {
  return row && { until: row.until, keyId: row.key_id };
}

/** Moves on how far a sum has come, together with what was summed. */
export async function saveRollupProgress(trx: Db, name: string, { until, keyId }: RollupProgress): Promise<void> {
  const moved = await table(trx).where({ name }).update({ until, key_id: keyId });
  if (moved === 0) await table(trx).insert({ name, until, key_id: keyId });
}

function table(db: Db) {
  return db<Row>('catch_ups');
}
