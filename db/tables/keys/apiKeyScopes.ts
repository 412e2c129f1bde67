import type { Db } from '../../connection/connect.ts';

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
export async function insertKeyScopes(trx: Db, key: KeyInOrder): Promise<void> {
  await insertScopesOfKeys(trx, [key]);
}

/** How many rows of four values one statement adds. */
const SCOPES_AT_ONCE = 1_000;

/** The rows of many new keys. */
export async function insertScopesOfKeys(trx: Db, keys: readonly KeyInOrder[]): Promise<void> {
  const rows = keys.flatMap(({ id, tenantId, createdAt, scopes }) =>
    scopes.map((scope) => ({ tenant_id: tenantId, scope, key_created_at: createdAt, key_id: id })),
  );
  for (let at = 0; at < rows.length; at += SCOPES_AT_ONCE) {
    await table(trx).insert(rows.slice(at, at + SCOPES_AT_ONCE));
  }
}

/** Whether the tenant has granted this very scope to no more than `most` keys. */
export async function isScopeOfFew(db: Db, tenantId: string, scope: string, most: number): Promise<boolean> {
  const rows = table(db).where({ tenant_id: tenantId, scope });
  return (await rows.offset(most).limit(1).pluck('key_id')).length === 0;
}

function table(db: Db) {
  return db<Row>(TABLE);
}
