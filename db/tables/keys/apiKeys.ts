import type { Db } from '../../connection/connect.ts';
import { isSqlite, type RawDb } from '../../connection/rawDb.ts';
import { ROWS_AT_ONCE, rowsToInsert, runForEach, writeRows, type JsonColumn } from '../../sql/jsonRows.ts';
import {
  changeableColumns,
  KEY_COLUMN_TYPES,
  KEY_COLUMNS,
  keyFromRow,
  rowOfKey,
  type ApiKey,
  type KeyRow,
} from './apiKeyFields.ts';
import { matching, type EVERY_TENANT } from './apiKeyFilter.ts';

export type { ApiKey } from './apiKeyFields.ts';

export interface KeyUse {
  tenantId: string;
  keyId: string;
  at: number;
  ip: string | null;
}

/** Adds a new key under the hash of its text. */
export async function insertApiKey(db: Db, key: ApiKey, keyHash: Buffer): Promise<void> {
  await table(db).insert({ ...rowOfKey(key), key_hash: keyHash });
}

/** Adds many keys, each under the hash of its text. */
export async function insertApiKeys(trx: Db, keys: readonly (ApiKey & { hash: Buffer })[]): Promise<void> {
  for (let at = 0; at < keys.length; at += ROWS_AT_ONCE) {
    const rows = keys
      .slice(at, at + ROWS_AT_ONCE)
      .map((key) => ({ ...rowOfKey(key), key_hash: key.hash.toString('hex') }));
    const { columns, from, values } = rowsToInsert(trx, JSON_COLUMNS, rows);
    const selected = COLUMNS.map((name) => (name === 'key_hash' ? `unhex(${columns[name]})` : columns[name]));
    await trx.raw(`insert into api_keys (${COLUMNS.join(', ')}) select ${selected.join(', ')} from ${from}`, values);
  }
}

const JSON_COLUMNS = {
  ...Object.fromEntries(KEY_COLUMNS.map((name) => [name, KEY_COLUMN_TYPES[name].json])),
  key_hash: 'varchar(255)',
} as Record<keyof KeyRow | 'key_hash', JsonColumn>;
const COLUMNS = Object.keys(JSON_COLUMNS) as (keyof typeof JSON_COLUMNS)[];

/** Where the keys with these hashes are, of whichever tenant: a hash is known only to who has the key or its issuer’s list. */
export async function findKeysByHash(
  db: Db,
  hashes: readonly Buffer[],
): Promise<{ hash: Buffer; id: string; tenantId: string }[]> {
  const found: { hash: Buffer; id: string; tenantId: string }[] = [];
  for (let at = 0; at < hashes.length; at += ROWS_AT_ONCE) {
    const rows = await table(db)
      .whereIn('key_hash', hashes.slice(at, at + ROWS_AT_ONCE))
      .select('key_hash', 'id', 'tenant_id');
    found.push(...rows.map(({ key_hash, id, tenant_id }) => ({ hash: key_hash, id, tenantId: tenant_id })));
  }
  return found;
}

export async function findApiKey(db: Db, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id }).first(KEY_COLUMNS);
  return row && keyFromRow(row);
}

/** A key of whichever tenant, for who has only its id and stands above tenants. */
export async function findKeyOfAnyTenant(db: Db, whose: typeof EVERY_TENANT, id: string): Promise<ApiKey | undefined> {
  const row = await matching(db, whose, { ids: [id], now: 0 }).first(KEY_COLUMNS);
  return row && keyFromRow(row);
}

/** One key, held until the transaction ends so that no other one changes it meanwhile. */
export async function lockApiKey(trx: Db, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, id }).forUpdate().first(KEY_COLUMNS);
  return row && keyFromRow(row);
}

/** Stores what may change of a key that this transaction holds; its uses are noted apart. */
export async function updateApiKey(trx: Db, key: ApiKey): Promise<void> {
  await table(trx).where({ tenant_id: key.tenantId, id: key.id }).update(changeableColumns(key));
}

/** Those of a tenant's keys that have one of these ids, whatever became of them. */
export async function findApiKeys(db: Db, tenantId: string, ids: readonly string[]): Promise<ApiKey[]> {
  if (ids.length === 0) return [];
  const rows = await table(db)
    .where({ tenant_id: tenantId })
    .whereIn('id', [...ids])
    .select(KEY_COLUMNS);
  return rows.map(keyFromRow);
}

/** The tokens of marketplace apps that work, or would once they are resumed. */
export async function listAppKeys(db: Db, tenantId: string, now: number): Promise<{ id: string; app: string }[]> {
  const rows = await matching(db, tenantId, { statuses: ['active', 'rotating', 'paused'], now })
    .whereNotNull('app')
    .select('id', 'app');
  return rows.map(({ id, app }) => ({ id, app: app ?? '' }));
}

/** The keys of a tenant that belong to a person and work, or would once they are resumed. */
export async function listKeyIdsOfUser(db: Db, tenantId: string, userId: string, now: number): Promise<string[]> {
  const rows = await matching(db, tenantId, { statuses: ['active', 'rotating', 'paused'], now })
    .where({ user_id: userId })
    .select('id');
  return rows.map(({ id }) => id);
}

/** How many keys of a tenant work; those of people who may do nothing any more do not. */
export async function countWorkingKeys(db: Db, tenantId: string, now: number): Promise<number> {
  const owners = db('memberships')
    .join('users', 'users.id', 'memberships.user_id')
    .where({ 'memberships.tenant_id': tenantId, 'users.status': 'active' })
    .select('memberships.user_id');
  const rows = matching(db, tenantId, { statuses: ['active', 'rotating'], now }).where((row) => {
    void row.whereNull('api_keys.user_id').orWhereIn('api_keys.user_id', owners);
  });
  const [counted] = await rows.count<{ total: number }[]>({ total: '*' });
  return counted?.total ?? 0;
}

/** The valid keys of a tenant, counted by what they were granted and whom they belong to. */
export async function countActiveKeysByScopesAndOwner(
  db: Db,
  tenantId: string,
  now: number,
): Promise<{ scopes: readonly string[]; userId: string | null; keys: number }[]> {
  const rows = await matching(db, tenantId, { statuses: ['active', 'rotating'], now })
    .select<(Pick<KeyRow, 'scopes' | 'user_id'> & { total: number })[]>(
      'scopes',
      'user_id',
      db.raw('count(*) as total'),
    )
    .groupBy('scopes', 'user_id');
  return rows.map((row) => ({
    scopes: JSON.parse(row.scopes) as string[],
    userId: row.user_id,
    keys: row.total,
  }));
}

/** Notes when and from where keys were last used; a use older than the one already noted changes nothing. */
export async function noteKeyUses(db: RawDb, uses: readonly KeyUse[]): Promise<void> {
  // In the order of their ids, so that two processes never wait for each other crosswise.
  const rows = [...uses].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
  if (isSqlite(db)) {
    // Joined with a row of values, each update would copy the whole key first, which takes a fifth longer.
    const update = `update api_keys set last_used_at = ?, last_used_ip = ?
      where id = ? and tenant_id = ? and coalesce(last_used_at, 0) <= ?`;
    const values = rows.map(({ keyId, tenantId, at, ip }) => [at, ip, keyId, tenantId, at]);
    await runForEach(db, update, values);
    return;
  }
  const used = rows.map(({ keyId, tenantId, at, ip }) => ({
    id: keyId,
    tenant_id: tenantId,
    used_at: at,
    used_ip: ip,
  }));
  const which = 'k.id = j.id and k.tenant_id = j.tenant_id and coalesce(k.last_used_at, 0) <= j.used_at';
  const set = 'set last_used_at = j.used_at, last_used_ip = j.used_ip';
  await writeRows(db, USED, used, (from) => `update ${from} straight_join api_keys as k on ${which} ${set}`);
}

const USED = { id: 'varchar(255)', tenant_id: 'varchar(255)', used_at: 'bigint', used_ip: 'varchar(255)' } as const;

function table(db: Db) {
  return db<KeyRow & { key_hash: Buffer }>('api_keys');
}
