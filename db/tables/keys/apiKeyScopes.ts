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

/** Names asked about in one statement, which SQLite bounds. */
const NAMES_AT_ONCE = 100;
/** Counting a scope that most of a million keys hold takes longer than a request may otherwise wait. */
const COUNT_TIMEOUT_MS = 15_000;

/** How many keys of all tenants hold each of these names and are not revoked, each counted up to `most`; names that none holds are left out. */
export async function countHolders(
  db: Db,
  names: readonly string[],
  most: number,
): Promise<{ scope: string; keys: number }[]> {
  const found: { scope: string; keys: number }[] = [];
  for (let at = 0; at < names.length; at += NAMES_AT_ONCE) {
    const some = names.slice(at, at + NAMES_AT_ONCE);
    const counts = some.map(() => COUNT_OF_HOLDERS).join(' union all ');
    const values = some.flatMap((scope) => [scope, scope, most]);
    const rows = db.from(db.raw(`(${counts}) as counts`, values)).where('total', '>', 0);
    const counted = await rows
      .select<{ scope: string; total: number }[]>('scope', 'total')
      .options({ timeout: COUNT_TIMEOUT_MS });
    found.push(...counted.map(({ scope, total }) => ({ scope, keys: total })));
  }
  return found;
}

/** By tenant, since the rows are in the order of tenant and scope. */
const COUNT_OF_HOLDERS = `
  select ? as scope, count(*) as total from (
    select 1 as one from tenants t
    join ${TABLE} s on s.tenant_id = t.id and s.scope = ?
    join api_keys k on k.id = s.key_id
    where k.revoked_at is null
    limit ?
  ) holders`;

function table(db: Db) {
  return db<Row>(TABLE);
}
