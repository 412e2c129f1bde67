import type { ResultSetHeader } from 'mysql2';
import { isSqlite, type Db } from '../../connection/connect.ts';
import { isDuplicate } from '../../connection/faults.ts';

export interface QuotaSpending {
  keyId: string;
  /** As `2026-01`. */
  month: string;
  quota: number;
  cost: number;
}

interface Row {
  key_id: string;
  month: string;
  used: number;
}

/** Spends the cost where the quota has room for it and gives what is used by then; undefined, and nothing spent, where it has none. */
export async function spendQuota(db: Db, { keyId, month, quota, cost }: QuotaSpending): Promise<number | undefined> {
  const row = rows(db)
    .where({ key_id: keyId, month })
    .where('used', '<=', quota - cost);
  if (isSqlite(db)) {
    const [spent] = await row.increment('used', cost).returning('used');
    return spent?.used;
  }
  // MySQL answers an update with the number that was last given to last_insert_id, which saves a second statement.
  const { sql, bindings } = row
    .update({ used: db.raw('last_insert_id(used + ?)', [cost]) })
    .toSQL()
    .toNative();
  const [result] = await db.raw<ResultSetHeader[]>(sql, bindings);
  return result && result.affectedRows > 0 ? result.insertId : undefined;
}

/** What the key has used in the month; undefined before its first request. */
export async function quotaUsed(db: Db, keyId: string, month: string): Promise<number | undefined> {
  const row = await rows(db).where({ key_id: keyId, month }).first('used');
  return row?.used;
}

/** Makes the month's row, unless somebody else just did. */
export async function startQuota(db: Db, keyId: string, month: string): Promise<void> {
  try {
    await rows(db).insert({ key_id: keyId, month, used: 0 });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}

/** Lets the key that takes another's place begin where that one stands, so that rotating refills nothing. */
export async function inheritQuota(trx: Db, fromKeyId: string, toKeyId: string, month: string): Promise<void> {
  const used = await quotaUsed(trx, fromKeyId, month);
  if (used !== undefined) await rows(trx).insert({ key_id: toKeyId, month, used });
}

function rows(db: Db) {
  return db<Row>('api_key_quotas');
}
