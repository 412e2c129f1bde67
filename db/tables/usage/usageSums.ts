import { newId } from '../../../app/domain/id.ts';
import { rowsOf, type RawDb } from '../../connection/rawDb.ts';
import type { KeyUsageHour } from './apiKeyUsageHours.ts';

const TABLE = 'usage_sums';

/** Keeps hours that are to be added later, in the transaction that claims their batches. */
export async function keepUsageSums(trx: RawDb, hours: readonly KeyUsageHour[]): Promise<void> {
  await trx.raw(`insert into ${TABLE} (id, hours) values (?, ?)`, [newId(), JSON.stringify(hours)]);
}

/** The oldest sums behind this id that are kept, by whichever process; undefined where there are none. */
export async function nextUsageSums(db: RawDb, after: string): Promise<string | undefined> {
  const [next] = await rowsOf<{ id: string }>(db, `select id from ${TABLE} where id > ? order by id limit 1`, [after]);
  return next?.id;
}

/** Takes sums away, for the transaction that adds them; none where another one has. */
export async function takeUsageSums(trx: RawDb, id: string): Promise<KeyUsageHour[]> {
  const [kept] = await rowsOf<{ hours: string }>(trx, `select hours from ${TABLE} where id = ?`, [id]);
  if (!kept) return [];
  await trx.raw(`delete from ${TABLE} where id = ?`, [id]);
  return JSON.parse(kept.hours) as KeyUsageHour[];
}
