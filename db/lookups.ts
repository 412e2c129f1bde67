import type { DatabaseConfig } from '../app/config.ts';
import { connect } from './connect.ts';
import { holdConnections } from './heldConnections.ts';
import { openSqlite } from './sqlite.ts';

/** A key with everything outside its own row that decides about it, in the order of `KEY_COLUMNS`. */
export type KeyRow = [
  hash: string,
  id: string,
  keyPrefix: string,
  name: string,
  environment: 'live' | 'test',
  scopes: string,
  allowedIps: string | null,
  rateLimit: number | null,
  rateWindowSeconds: number | null,
  monthlyQuota: number | null,
  expiresAt: number | null,
  graceEndsAt: number | null,
  successorKeyId: string | null,
  revokedAt: number | null,
  createdAt: number,
  lastUsedAt: number | null,
  userId: string | null,
  userStatus: string | null,
  userOperator: number | null,
  userRole: string | null,
  tenantId: string,
  tenantSlug: string,
  tenantStatus: string,
  tenantPolicy: string | null,
  tenantPlan: string,
];

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
  /** By the hashes of their texts, in hexadecimal. */
  keys(hashes: readonly string[]): Promise<KeyRow[]>;
  /** By user id, or by email for people whom another identity provider vouches for. */
  people(by: 'id' | 'email', subjects: readonly string[]): Promise<PersonRow[]>;
  close(): Promise<void>;
}

const KEY_COLUMNS = [
  ...['lower(hex(k.key_hash))', 'k.id', 'k.key_prefix', 'k.name', 'k.environment', 'k.scopes', 'k.allowed_ips'],
  ...['k.rate_limit', 'k.rate_window_seconds', 'k.monthly_quota', 'k.expires_at', 'k.grace_ends_at'],
  ...['k.successor_key_id', 'k.revoked_at', 'k.created_at', 'k.last_used_at', 'k.user_id', 'u.status', 'u.operator'],
  ...['m.role', 't.id', 't.slug', 't.status', 't.policy', 't.plan'],
];

/** A key comes as one value: drivers take several times as long over two dozen columns as over their text. */
const KEYS = `
  select cast(json_array(${KEY_COLUMNS.join(', ')}) as char) as found
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
  const db = connect(config, { poolSize: 2 * LOOKUPS_AT_ONCE });
  const held = holdConnections(db);
  return {
    keys: async (hashes) => {
      // Written out, for a binding costs more than the hash itself; a hash is never what a caller wrote.
      const literals = hashes.map((hash) => `x'${hash}'`).join(',');
      return readKeys(await held.ask<Found>(`${KEYS}(${literals})`));
    },
    people: async (by, subjects) => {
      const marks = subjects.map(() => '?').join(',');
      const [rows] = (await db.raw(`${PEOPLE(by)}(${marks})`, subjects)) as [PersonRow[], unknown];
      return rows;
    },
    close: async () => {
      held.release();
      await db.destroy();
    },
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
    keys: async (hashes) =>
      readKeys(
        ask<Found>(
          KEYS,
          hashes.map((hash) => Buffer.from(hash, 'hex')),
        ),
      ),
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    close: async () => connection.close(),
  };
}

interface Found {
  found: string;
}

function readKeys(rows: Found[]): KeyRow[] {
  return rows.map(({ found }) => JSON.parse(found) as KeyRow);
}
