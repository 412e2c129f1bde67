import { LOOKUP_CONNECTIONS, type DatabaseConfig } from './connection/settings.ts';
import { connect } from './connection/connect.ts';
import { holdConnections } from './connection/heldConnections.ts';
import { openSqlite } from './connection/sqlite.ts';

/** A key with everything outside its own row that decides about it. */
export interface AuthKeyRow {
  hash: string;
  id: string;
  keyPrefix: string;
  name: string;
  environment: 'live' | 'test';
  scopes: string;
  allowedIps: string | null;
  rateLimit: number | null;
  rateWindowSeconds: number | null;
  monthlyQuota: number | null;
  expiresAt: number | null;
  graceEndsAt: number | null;
  successorKeyId: string | null;
  revokedAt: number | null;
  createdAt: number;
  lastUsedAt: number | null;
  externalId: string | null;
  metadata: string;
  userId: string | null;
  userStatus: string | null;
  userOperator: number | null;
  userRole: string | null;
  userPermissions: string | null;
  tenantId: string;
  tenantSlug: string;
  tenantStatus: string;
  tenantPolicy: string | null;
  tenantPlan: string;
}

/** A person in one of their tenants; the tenant's columns are null for somebody who has none. */
export interface PersonRow {
  subject: string;
  user_id: string;
  name: string;
  user_status: string;
  operator: number;
  password_changed_at: number | null;
  confined_to: string | null;
  joined_at: number | null;
  role: string | null;
  permissions: string | null;
  tenant_id: string | null;
  tenant_slug: string | null;
  tenant_name: string | null;
  tenant_status: string | null;
  tenant_policy: string | null;
}

/** The same with the session in which the person is signed in, whose token's hash is the subject. */
export interface SessionRow extends PersonRow {
  session_id: string;
  session_tenant_id: string | null;
  csrf_token: string;
  last_seen_at: number;
  expires_at: number;
  email: string;
  locale: string | null;
  theme: string | null;
}

/** How a person is asked for: by user id, or by email where another identity provider vouches for them. */
export type PersonBy = 'id' | 'email';

/** The questions that authentication asks, each for many callers at once; hashes are given in hexadecimal. */
export interface Lookups {
  keys(hashes: readonly string[]): Promise<AuthKeyRow[]>;
  people(by: PersonBy, subjects: readonly string[]): Promise<PersonRow[]>;
  sessions(hashes: readonly string[]): Promise<SessionRow[]>;
  close(): Promise<void>;
}

/** Stands in none of the columns but, if someone got it in there, the name, which comes last for that. */
const SEPARATOR = '\u001f';
const KEY_COLUMNS = [
  ...['lower(hex(k.key_hash))', 'k.id', 'k.key_prefix', 'k.environment', 'k.scopes', 'k.allowed_ips', 'k.rate_limit'],
  ...['k.rate_window_seconds', 'k.monthly_quota', 'k.expires_at', 'k.grace_ends_at', 'k.successor_key_id'],
  ...[
    'k.revoked_at',
    'k.created_at',
    'k.last_used_at',
    'k.external_id',
    'k.metadata',
    'k.user_id',
    'u.status',
    'u.operator',
    'm.role',
    'm.permissions',
  ],
  ...['t.id', 't.slug', 't.status', 't.policy', 't.plan', 'k.name'],
];

/** A key comes as one text: databases and drivers take several times as long over two dozen columns. */
const KEYS = `
  select concat_ws('${SEPARATOR}', ${KEY_COLUMNS.map((column) => `coalesce(${column}, '')`).join(', ')}) as found
  from api_keys k
  join tenants t on t.id = k.tenant_id
  left join users u on u.id = k.user_id
  left join memberships m on m.tenant_id = k.tenant_id and m.user_id = k.user_id
  where k.key_hash in `;

interface Found {
  found: string;
}

function keyOf({ found }: Found): AuthKeyRow {
  // prettier-ignore
  const [hash, id, keyPrefix, environment, scopes, allowedIps, rateLimit, rateWindowSeconds, monthlyQuota, expiresAt,
    graceEndsAt, successorKeyId, revokedAt, createdAt, lastUsedAt, externalId, metadata, userId, userStatus, userOperator, userRole,
    userPermissions, tenantId, tenantSlug, tenantStatus, tenantPolicy, tenantPlan, ...name] = found.split(SEPARATOR) as Texts;
  return {
    hash,
    id,
    keyPrefix,
    name: name.join(SEPARATOR),
    environment: environment as AuthKeyRow['environment'],
    scopes,
    allowedIps: textOf(allowedIps),
    rateLimit: numberOf(rateLimit),
    rateWindowSeconds: numberOf(rateWindowSeconds),
    monthlyQuota: numberOf(monthlyQuota),
    expiresAt: numberOf(expiresAt),
    graceEndsAt: numberOf(graceEndsAt),
    successorKeyId: textOf(successorKeyId),
    revokedAt: numberOf(revokedAt),
    createdAt: Number(createdAt),
    lastUsedAt: numberOf(lastUsedAt),
    externalId: textOf(externalId),
    metadata,
    userId: textOf(userId),
    userStatus: textOf(userStatus),
    userOperator: numberOf(userOperator),
    userRole: textOf(userRole),
    userPermissions: textOf(userPermissions),
    tenantId,
    tenantSlug,
    tenantStatus,
    tenantPolicy: textOf(tenantPolicy),
    tenantPlan,
  };
}

/** As many texts as there are columns, so that none of them can be missing. */
// prettier-ignore
type Texts = [string, string, string, string, string, string, string, string, string, string, string, string, string,
  string, string, string, string, string, string, string, string, string, string, string, string, string, string,
  ...string[]];

/** None of these columns is ever empty: what is came as null. */
function textOf(text: string): string | null {
  return text === '' ? null : text;
}

function numberOf(text: string): number | null {
  return text === '' ? null : Number(text);
}

const PERSON = `u.id as user_id, u.name, u.status as user_status, u.operator, u.password_changed_at, u.confined_to, m.role,
  m.permissions, m.created_at as joined_at, t.id as tenant_id, t.slug as tenant_slug, t.name as tenant_name, t.status as tenant_status, t.policy as tenant_policy`;
const BELONGINGS = `left join memberships m on m.user_id = u.id
  left join tenants t on t.id = m.tenant_id`;

const PEOPLE = (by: PersonBy) => `
  select u.${by} as subject, ${PERSON}
  from users u
  ${BELONGINGS}
  where u.${by} in `;

const SESSIONS = `
  select lower(hex(s.token_hash)) as subject, s.id as session_id, s.tenant_id as session_tenant_id, s.csrf_token,
    s.last_seen_at, s.expires_at, u.email, u.locale, u.theme, ${PERSON}
  from sessions s
  join users u on u.id = s.user_id
  ${BELONGINGS}
  where s.token_hash in `;

/** Hashes are compared as the bytes they are stored as. */
const bytesOf = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, 'hex'));

/** How many questions may be under way at once; what arrives meanwhile waits for the next one. */
export const LOOKUPS_AT_ONCE = 2;

/** Opens connections of their own for lookups: never inside a transaction, and never behind a slow page. */
export function openLookups(config: DatabaseConfig): Lookups {
  return config.kind === 'sqlite' ? sqliteLookups(config.file) : mysqlLookups(config);
}

function mysqlLookups(config: Extract<DatabaseConfig, { kind: 'mysql' }>): Lookups {
  const db = connect(config, { poolSize: LOOKUP_CONNECTIONS });
  const held = holdConnections(db);
  const ask = async <Row>(sql: string, values: readonly (string | Buffer)[]) => {
    const [rows] = (await db.raw(`${sql}(${values.map(() => '?').join(',')})`, values)) as [Row[], unknown];
    return rows;
  };
  return {
    keys: async (hashes) => {
      // Written out, for a binding costs more than the hash itself; a hash is never what a caller wrote.
      const literals = hashes.map((hash) => `x'${hash}'`).join(',');
      return (await held.ask<Found>(`${KEYS}(${literals})`)).map(keyOf);
    },
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    sessions: async (hashes) => ask<SessionRow>(SESSIONS, bytesOf(hashes)),
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
    keys: async (hashes) => ask<Found>(KEYS, bytesOf(hashes)).map(keyOf),
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    sessions: async (hashes) => ask<SessionRow>(SESSIONS, bytesOf(hashes)),
    close: async () => connection.close(),
  };
}
