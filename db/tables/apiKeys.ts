import type { Knex } from 'knex';
import type { KeyLife, KeyStatus } from '../../app/domain/keyStatus.ts';
import type { Metadata } from '../../app/domain/metadata.ts';
import type { Rate } from '../../app/domain/rate.ts';
import type { Environment } from '../../app/domain/token.ts';
import { isSqlite, type Db } from '../connect.ts';
import { whereAttention, type KeyAttention } from './apiKeyAttention.ts';
import { without } from '../along.ts';
import { jsonRows, ROWS_AT_ONCE } from '../jsonRows.ts';
import { keysWithScope } from './apiKeyScopes.ts';

/** A key as it is stored, but for its hash, which nobody has to see. */
export interface ApiKey extends KeyLife {
  id: string;
  tenantId: string;
  /** The person it belongs to; null for a service token of the tenant. */
  userId: string | null;
  keyPrefix: string;
  lastFour: string;
  name: string;
  description: string | null;
  environment: Environment;
  scopes: readonly string[];
  /** Empty means anywhere. */
  allowedIps: readonly string[];
  rateLimit: Rate | null;
  monthlyQuota: number | null;
  externalId: string | null;
  metadata: Metadata;
  /** The marketplace app it was issued to. */
  app: string | null;
  previousKeyId: string | null;
  createdBy: string | null;
  createdAt: number;
  updatedAt: number;
  lastUsedAt: number | null;
  lastUsedIp: string | null;
  revokedBy: string | null;
  revokeReason: string | null;
}

export const KEY_SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'] as const;
export type KeySort = (typeof KEY_SORTS)[number];

export interface KeyFilter {
  /** Every status unless given; which one a key has is a matter of `now`. */
  statuses?: readonly KeyStatus[] | undefined;
  scope?: string | undefined;
  environment?: Environment | undefined;
  /** Part of the name or external id, the beginning of the key's prefix, or an id. */
  text?: string | undefined;
  /** Only those that somebody should look at, and why. */
  attention?: KeyAttention | undefined;
  now: number;
}

export interface KeyPage {
  sort: KeySort;
  descending: boolean;
  offset: number;
  limit: number;
}

export interface KeyUse {
  tenantId: string;
  keyId: string;
  at: number;
  ip: string | null;
}

interface Row {
  id: string;
  tenant_id: string;
  user_id: string | null;
  key_hash: Buffer;
  key_prefix: string;
  last_four: string;
  name: string;
  description: string | null;
  environment: Environment;
  scopes: string;
  allowed_ips: string | null;
  rate_limit: number | null;
  rate_window_seconds: number | null;
  monthly_quota: number | null;
  external_id: string | null;
  metadata: string;
  app: string | null;
  expires_at: number | null;
  grace_ends_at: number | null;
  previous_key_id: string | null;
  successor_key_id: string | null;
  created_by: string | null;
  created_at: number;
  updated_at: number;
  last_used_at: number | null;
  last_used_ip: string | null;
  revoked_at: number | null;
  revoked_by: string | null;
  revoke_reason: string | null;
}

const COLUMNS = [
  ...['id', 'tenant_id', 'user_id', 'key_prefix', 'last_four', 'name', 'description', 'environment', 'scopes'],
  ...['allowed_ips', 'rate_limit', 'rate_window_seconds', 'monthly_quota', 'external_id', 'metadata', 'app'],
  ...['expires_at', 'grace_ends_at', 'previous_key_id', 'successor_key_id', 'created_by', 'created_at', 'updated_at'],
  ...['last_used_at', 'last_used_ip', 'revoked_at', 'revoked_by', 'revoke_reason'],
] as Exclude<keyof Row, 'key_hash'>[];

const SORT_COLUMN: Record<KeySort, keyof Row> = {
  createdAt: 'created_at',
  name: 'name',
  lastUsedAt: 'last_used_at',
  expiresAt: 'expires_at',
};

/** Asks for the keys of all tenants, which nobody can do by forgetting to name one. */
export const EVERY_TENANT = Symbol('every tenant');

/** Adds a new key under the hash of its text. */
export async function insertApiKey(db: Db, key: ApiKey, keyHash: Buffer): Promise<void> {
  await table(db).insert({
    id: key.id,
    tenant_id: key.tenantId,
    user_id: key.userId,
    key_hash: keyHash,
    key_prefix: key.keyPrefix,
    last_four: key.lastFour,
    environment: key.environment,
    app: key.app,
    previous_key_id: key.previousKeyId,
    created_by: key.createdBy,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt,
    last_used_ip: key.lastUsedIp,
    ...changeableColumns(key),
  });
}

export async function findApiKey(db: Db, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id }).first(COLUMNS);
  return row && keyOf(row);
}

/** One key, held until the transaction ends so that no other one changes it meanwhile. */
export async function lockApiKey(trx: Db, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, id }).forUpdate().first(COLUMNS);
  return row && keyOf(row);
}

/** The tokens of marketplace apps that work. */
export async function listAppKeys(db: Db, tenantId: string, now: number): Promise<{ id: string; app: string }[]> {
  const rows = await matching(db, tenantId, { statuses: ['active', 'rotating'], now })
    .whereNotNull('app')
    .select('id', 'app');
  return rows.map(({ id, app }) => ({ id, app: app ?? '' }));
}

/** Stores what may change of a key that this transaction holds; its uses are noted apart. */
export async function updateApiKey(trx: Db, key: ApiKey): Promise<void> {
  await table(trx).where({ tenant_id: key.tenantId, id: key.id }).update(changeableColumns(key));
}

export async function listApiKeys(
  db: Db,
  tenantId: string | typeof EVERY_TENANT,
  filter: KeyFilter,
  page: KeyPage,
): Promise<ApiKey[]> {
  const order = page.descending ? 'desc' : 'asc';
  const column = SORT_COLUMN[page.sort];
  const rows = matching(db, tenantId, filter);
  // MySQL's collation sorts names without regard to case; SQLite has to be asked to.
  if (page.sort === 'name' && isSqlite(db)) void rows.orderByRaw(`name collate nocase ${order}`);
  else void rows.orderBy(column, order);
  const found = await rows.select(COLUMNS).orderBy('id', order).offset(page.offset).limit(page.limit);
  return found.map(keyOf);
}

/** How many match; where the matches of a large tenant need not all be counted, counting stops at `most`. */
export async function countApiKeys(
  db: Db,
  tenantId: string | typeof EVERY_TENANT,
  filter: KeyFilter,
  most?: number,
): Promise<number> {
  if (most !== undefined) {
    const some = matching(db, tenantId, filter).select(db.raw('1 as one')).limit(most).as('some');
    const [counted] = await db.from(some).count<{ total: number }[]>({ total: '*' });
    return counted?.total ?? 0;
  }
  const counted = await matching(db, tenantId, filter).count({ total: '*' }).first();
  return Number(counted?.total ?? 0);
}

/** Those of a tenant's keys that have one of these ids, whatever became of them. */
export async function findApiKeys(db: Db, tenantId: string, ids: readonly string[]): Promise<ApiKey[]> {
  if (ids.length === 0) return [];
  const rows = await table(db)
    .where({ tenant_id: tenantId })
    .whereIn('id', [...ids])
    .select(COLUMNS);
  return rows.map(keyOf);
}

/** The valid keys of a tenant, counted by what they were granted and whom they belong to. */
export async function countByReach(
  db: Db,
  tenantId: string,
  now: number,
): Promise<{ scopes: readonly string[]; userId: string | null; keys: number }[]> {
  const rows = await matching(db, tenantId, { statuses: ['active', 'rotating'], now })
    .select<(Pick<Row, 'scopes' | 'user_id'> & { total: number })[]>('scopes', 'user_id', db.raw('count(*) as total'))
    .groupBy('scopes', 'user_id');
  return rows.map((row) => ({
    scopes: JSON.parse(row.scopes) as string[],
    userId: row.user_id,
    keys: row.total,
  }));
}

/** Notes when and from where keys were last used; a use older than the one already noted changes nothing. */
export async function noteKeyUses(db: Db, uses: readonly KeyUse[]): Promise<void> {
  const set = 'set last_used_at = j.used_at, last_used_ip = j.used_ip';
  const which = 'k.id = j.id and k.tenant_id = j.tenant_id and coalesce(k.last_used_at, 0) <= j.used_at';
  // In the order of their ids, so that two processes never wait for each other crosswise.
  const rows = uses
    .map((use) => ({ id: use.keyId, tenant_id: use.tenantId, used_at: use.at, used_ip: use.ip }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const { from, value } = jsonRows(db, USED, rows.slice(at, at + ROWS_AT_ONCE));
    await db.raw(
      isSqlite(db)
        ? `update api_keys as k ${set} from ${from} where ${which}`
        : `update ${from} straight_join api_keys as k on ${which} ${set}`,
      [value],
    );
  }
}

const USED = { id: 'varchar(255)', tenant_id: 'varchar(255)', used_at: 'bigint', used_ip: 'varchar(255)' } as const;

function matching(db: Db, tenantId: string | typeof EVERY_TENANT, filter: KeyFilter) {
  const { statuses, scope, environment, text, attention, now } = filter;
  // The index of all tenants' keys by time would lead a tenant through everybody's.
  const own = tenantId === EVERY_TENANT ? 'api_keys' : without(db, 'api_keys', 'api_keys_created_at_id');
  const rows = db<Row>(own).where({ ...(environment && { environment }) });
  if (tenantId !== EVERY_TENANT) void rows.where({ tenant_id: tenantId });
  if (scope !== undefined && tenantId !== EVERY_TENANT) void rows.whereIn('id', keysWithScope(db, tenantId, scope));
  if (text !== undefined) void rows.where((row) => whereText(row, text));
  if (attention) whereAttention(rows, attention, now);
  if (statuses) void rows.whereRaw(`(${statuses.map((status) => STATUS[status]).join(' or ')})`, { now });
  return rows;
}

/** `keyStatus` of app/domain, said in SQL. */
const STATUS: Record<KeyStatus, string> = {
  revoked: `(revoked_at is not null or grace_ends_at <= :now
    or (grace_ends_at is null and successor_key_id is not null))`,
  expired: `(revoked_at is null and expires_at <= :now
    and (grace_ends_at > :now or (grace_ends_at is null and successor_key_id is null)))`,
  rotating: '(revoked_at is null and grace_ends_at > :now and (expires_at is null or expires_at > :now))',
  active: `(revoked_at is null and grace_ends_at is null and successor_key_id is null
    and (expires_at is null or expires_at > :now))`,
};

/** `!` escapes, since a backslash means something in one of the databases and nothing in the other. */
function whereText(row: Knex.QueryBuilder<Row, Row[]>, text: string): void {
  const literal = text.replace(/[!%_]/g, '!$&');
  void row.whereRaw("name like ? escape '!'", [`%${literal}%`]);
  void row.orWhereRaw("external_id like ? escape '!'", [`%${literal}%`]);
  // Columns of plain ASCII, which need not be asked for anything else.
  if (/^[\w-]+$/.test(text)) void row.orWhereRaw("key_prefix like ? escape '!'", [`${literal}%`]).orWhere({ id: text });
}

function changeableColumns(key: ApiKey) {
  return {
    name: key.name,
    description: key.description,
    scopes: JSON.stringify(key.scopes),
    allowed_ips: key.allowedIps.length === 0 ? null : JSON.stringify(key.allowedIps),
    rate_limit: key.rateLimit?.limit ?? null,
    rate_window_seconds: key.rateLimit?.windowSeconds ?? null,
    monthly_quota: key.monthlyQuota,
    external_id: key.externalId,
    metadata: JSON.stringify(key.metadata),
    expires_at: key.expiresAt,
    grace_ends_at: key.graceEndsAt,
    successor_key_id: key.successorKeyId,
    updated_at: key.updatedAt,
    revoked_at: key.revokedAt,
    revoked_by: key.revokedBy,
    revoke_reason: key.revokeReason,
  };
}

function keyOf(row: Omit<Row, 'key_hash'>): ApiKey {
  const { rate_limit: limit, rate_window_seconds: windowSeconds } = row;
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    keyPrefix: row.key_prefix,
    lastFour: row.last_four,
    name: row.name,
    description: row.description,
    environment: row.environment,
    scopes: JSON.parse(row.scopes) as string[],
    allowedIps: row.allowed_ips === null ? [] : (JSON.parse(row.allowed_ips) as string[]),
    rateLimit: limit === null || windowSeconds === null ? null : { limit, windowSeconds },
    monthlyQuota: row.monthly_quota,
    externalId: row.external_id,
    metadata: JSON.parse(row.metadata) as Metadata,
    app: row.app,
    expiresAt: row.expires_at,
    graceEndsAt: row.grace_ends_at,
    previousKeyId: row.previous_key_id,
    successorKeyId: row.successor_key_id,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    lastUsedIp: row.last_used_ip,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
    revokeReason: row.revoke_reason,
  };
}

function table(db: Db) {
  return db<Row>('api_keys');
}
