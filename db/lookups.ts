import type { DatabaseConfig } from '../app/config.ts';
import { connect } from './connect.ts';
import { openSqlite } from './sqlite.ts';

/** A key with everything outside its own row that decides about it. */
export interface KeyRow {
  id: string;
  key_hash: Uint8Array;
  key_prefix: string;
  name: string;
  environment: 'live' | 'test';
  scopes: string;
  allowed_ips: string | null;
  rate_limit: number | null;
  rate_window_seconds: number | null;
  monthly_quota: number | null;
  expires_at: number | null;
  grace_ends_at: number | null;
  successor_key_id: string | null;
  revoked_at: number | null;
  created_at: number;
  last_used_at: number | null;
  user_id: string | null;
  user_status: string | null;
  user_operator: number | null;
  user_role: string | null;
  tenant_id: string;
  tenant_slug: string;
  tenant_status: string;
  tenant_policy: string | null;
  tenant_plan: string;
}

/** A person in one of their tenants; the tenant's columns are null for somebody who has none. */
export interface PersonRow {
  subject: string;
  user_id: string;
  name: string;
  user_status: string;
  operator: number;
  role: string | null;
  permissions: string | null;
  tenant_id: string | null;
  tenant_slug: string | null;
  tenant_status: string | null;
  tenant_policy: string | null;
}

/** The two questions that authentication asks, each for many callers at once. */
export interface Lookups {
  keys(hashes: readonly Uint8Array[]): Promise<KeyRow[]>;
  /** By user id, or by email for people whom another identity provider vouches for. */
  people(by: 'id' | 'email', subjects: readonly string[]): Promise<PersonRow[]>;
  close(): Promise<void>;
}

const KEYS = `
  select k.id, k.key_hash, k.key_prefix, k.name, k.environment, k.scopes, k.allowed_ips, k.rate_limit,
    k.rate_window_seconds, k.monthly_quota, k.expires_at, k.grace_ends_at, k.successor_key_id, k.revoked_at,
    k.created_at, k.last_used_at, k.user_id, u.status as user_status, u.operator as user_operator,
    m.role as user_role,
    t.id as tenant_id, t.slug as tenant_slug, t.status as tenant_status, t.policy as tenant_policy,
    t.plan as tenant_plan
  from api_keys k
  join tenants t on t.id = k.tenant_id
  left join users u on u.id = k.user_id
  left join memberships m on m.tenant_id = k.tenant_id and m.user_id = k.user_id
  where k.key_hash in `;

const PEOPLE = (column: 'id' | 'email') => `
  select u.${column} as subject, u.id as user_id, u.name, u.status as user_status, u.operator, m.role, m.permissions,
    t.id as tenant_id, t.slug as tenant_slug, t.status as tenant_status, t.policy as tenant_policy
  from users u
  left join memberships m on m.user_id = u.id
  left join tenants t on t.id = m.tenant_id
  where u.${column} in `;

/** How many questions may be under way at once; what arrives meanwhile waits for the next one. */
export const LOOKUPS_AT_ONCE = 2;

/** Opens connections of their own for lookups: never inside a transaction, and never behind a slow page. */
export function openLookups(config: DatabaseConfig): Lookups {
  return config.kind === 'sqlite' ? sqliteLookups(config.file) : mysqlLookups(config);
}

function mysqlLookups(config: Extract<DatabaseConfig, { kind: 'mysql' }>): Lookups {
  const db = connect(config, { poolSize: LOOKUPS_AT_ONCE });
  const ask = async <Row>(sql: string, values: readonly (string | Uint8Array)[]) => {
    const marks = `(${values.map(() => '?').join(',')})`;
    const [rows] = (await db.raw(sql + marks, values as string[])) as [Row[], unknown];
    return rows;
  };
  return {
    keys: async (hashes) => ask<KeyRow>(KEYS, hashes),
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    close: async () => db.destroy(),
  };
}

/** One prepared statement per question, run for each caller: there is no network to save a way over. */
function sqliteLookups(file: string): Lookups {
  const connection = openSqlite(file);
  const prepared = new Map<string, ReturnType<typeof connection.prepare>>();
  const ask = <Row>(sql: string, values: readonly (string | Uint8Array)[]) => {
    // Prepared late, since the tables may be younger than this connection.
    let statement = prepared.get(sql);
    if (!statement) prepared.set(sql, (statement = connection.prepare(`${sql}(?)`)));
    return values.flatMap((value) => statement.all(value) as Row[]);
  };
  return {
    keys: async (hashes) => ask<KeyRow>(KEYS, hashes),
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    close: async () => connection.close(),
  };
}
