import type { Db } from '../connect.ts';

const TABLE = 'api_key_scopes';

interface Row {
  tenant_id: string;
  scope: string;
  key_created_at: number;
  key_id: string;
}

interface KeyInOrder {
  id: string;
  tenantId: string;
  createdAt: number;
  scopes: readonly string[];
}

/** Makes the rows of a key say exactly its scopes: one row each, so that keys can be found by what they open. */
export async function storeKeyScopes(trx: Db, key: KeyInOrder): Promise<void> {
  await table(trx).where({ key_id: key.id }).delete();
  await insertKeyScopes(trx, key);
}

/** The rows of a new key. */
export async function insertKeyScopes(trx: Db, { id, tenantId, createdAt, scopes }: KeyInOrder): Promise<void> {
  const rows = scopes.map((scope) => ({ tenant_id: tenantId, scope, key_created_at: createdAt, key_id: id }));
  if (rows.length > 0) await table(trx).insert(rows);
}

/** The ids of the tenant's keys that were granted this very scope, where they are no more than `most`. */
export async function keysWithScope(
  db: Db,
  tenantId: string,
  scope: string,
  most: number,
): Promise<string[] | undefined> {
  const ids = await table(db)
    .where({ tenant_id: tenantId, scope })
    .limit(most + 1)
    .pluck('key_id');
  return ids.length > most ? undefined : ids;
}

function table(db: Db) {
  return db<Row>(TABLE);
}
