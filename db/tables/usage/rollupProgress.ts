import { isSqlite, rowsOf, type RawDb } from '../../connection/rawDb.ts';

/** Up to where rows were summed up: all before `until`, and of that moment the keys up to `keyId`. */
export interface RollupProgress {
  until: number;
  keyId: string;
}

type Row = { until: number; key_id: string };

const PROGRESS = 'select until, key_id from catch_ups where name = ?';

/** How far a sum has come; undefined where nothing was summed up yet. */
export async function findRollupProgress(db: RawDb, name: string): Promise<RollupProgress | undefined> {
  const [row] = await rowsOf<Row>(db, PROGRESS, [name]);
  return row && { until: row.until, keyId: row.key_id };
}

/** The same, kept from moving until the transaction ends. */
export async function lockRollupProgress(trx: RawDb, name: string): Promise<RollupProgress | undefined> {
  // A transaction of SQLite that writes has the whole file.
  const [row] = await rowsOf<Row>(trx, isSqlite(trx) ? PROGRESS : `${PROGRESS} for update`, [name]);
  return row && { until: row.until, keyId: row.key_id };
}

/** Moves on how far a sum has come, together with what was summed. */
export async function saveRollupProgress(trx: RawDb, name: string, { until, keyId }: RollupProgress): Promise<void> {
  const again = isSqlite(trx) ? 'on conflict (name) do update set' : 'on duplicate key update';
  await trx.raw(`insert into catch_ups (name, until, key_id) values (?, ?, ?) ${again} until = ?, key_id = ?`, [
    ...[name, until, keyId],
    ...[until, keyId],
  ]);
}
