import type { Db } from '../../connection/connect.ts';
import { ROWS_AT_ONCE, rowsToInsert, type JsonColumn } from '../../sql/jsonRows.ts';

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
  const rows = rowsOf(key);
  if (rows.length > 0) await table(trx).insert(rows);
}

/** The rows of many new keys. */
export async function insertScopesOfKeys(trx: Db, keys: readonly KeyInOrder[]): Promise<void> {
  const rows = keys.flatMap(rowsOf);
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const { columns, from, values } = rowsToInsert(trx, COLUMNS, rows.slice(at, at + ROWS_AT_ONCE));
    const selected = NAMES.map((name) => columns[name]);
    await trx.raw(`insert into ${TABLE} (${NAMES.join(', ')}) select ${selected.join(', ')} from ${from}`, values);
  }
}

const COLUMNS = {
  tenant_id: 'varchar(255)',
  scope: 'varchar(255)',
  key_created_at: 'bigint',
  key_id: 'varchar(255)',
} as const satisfies Record<keyof Row, JsonColumn>;
const NAMES = Object.keys(COLUMNS) as (keyof Row)[];

function rowsOf({ id, tenantId, createdAt, scopes }: KeyInOrder): Row[] {
  return scopes.map((scope) => ({ tenant_id: tenantId, scope, key_created_at: createdAt, key_id: id }));
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
