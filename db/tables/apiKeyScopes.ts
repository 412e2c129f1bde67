import type { Db } from '../connect.ts';

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

/** A subquery: the ids of the tenant's keys that were granted this very scope. */
export function keysWithScope(db: Db, tenantId: string, scope: string) {
  return table(db).where({ tenant_id: tenantId, scope }).select('key_id');
}

function table(db: Db) {
  return db<Row>('api_key_scopes');
}
