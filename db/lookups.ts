import { connectionsFor, type DatabaseConfig } from './connection/settings.ts';
import { connect } from './connection/connect.ts';
import { holdConnections } from './connection/heldConnections.ts';
import { openSqlite } from './connection/sqlite.ts';
import { number, orNull, text, type ColumnType } from './sql/columnTypes.ts';
import { SETTING_NAMES, type SettingName, type StoredSetting } from './tables/installationSettings.ts';
import { KEY_COLUMN_TYPES, type KeyRow } from './tables/keys/apiKeyFields.ts';

/** The columns of a key that authentication reads. Its name, in which the separator could stand, is read last. */
const KEY_COLUMNS = [
  ...(['id', 'key_prefix', 'environment', 'scopes', 'allowed_ips', 'rate_limit', 'rate_window_seconds'] as const),
  ...(['monthly_quota', 'expires_at', 'grace_ends_at', 'successor_key_id', 'revoked_at', 'paused_at'] as const),
  ...(['created_at', 'last_used_at', 'external_id', 'metadata', 'user_id', 'name'] as const),
] satisfies (keyof KeyRow)[];

/** What decides about a key outside its own row: where it is, and how it is read. */
const DECIDING = {
  user_status: readFrom('u.status', orNull(text())),
  user_operator: readFrom('u.operator', orNull(number)),
  user_role: readFrom('m.role', orNull(text())),
  user_permissions: readFrom('m.permissions', orNull(text())),
  tenant_id: readFrom('t.id', text()),
  tenant_slug: readFrom('t.slug', text()),
  tenant_status: readFrom('t.status', text()),
  tenant_policy: readFrom('t.policy', orNull(text())),
  tenant_plan: readFrom('t.plan', text()),
};

function readFrom<Stored>(column: string, type: ColumnType<Stored>) {
  return { column, type };
}

type Deciding = { [Name in keyof typeof DECIDING]: ReturnType<(typeof DECIDING)[Name]['type']['fromText']> };

/** A key with everything outside its own row that decides about it. */
export type AuthKeyRow = { hash: string } & Pick<KeyRow, (typeof KEY_COLUMNS)[number]> & Deciding;

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

/** A tenant that a platform key acts for; the subject is the id or the slug by which it was asked for. */
export interface TenantRow {
  subject: string;
  id: string;
  slug: string;
  policy: string | null;
}

/** How a tenant is asked for. */
export type TenantBy = 'id' | 'slug';

/** How a person is asked for: by user id, or by email where another identity provider vouches for them. */
export type PersonBy = 'id' | 'email';

/** A setting of the installation, without its value where the caller has this revision already. */
export interface SettingRow extends StoredSetting {
  name: SettingName;
}

/** The revision of each setting that the caller has. */
export type Revisions = Readonly<Record<SettingName, string>>;

/** The questions that authentication asks, each for many callers at once; hashes are given in hexadecimal. */
export interface Lookups {
  /** Where revisions of settings are known, all settings too; the value of one that still has its revision is left out. */
  keys(hashes: readonly string[], known?: Revisions): Promise<{ keys: FoundKeyText[]; settings: SettingRow[] }>;
  people(by: PersonBy, subjects: readonly string[]): Promise<PersonRow[]>;
  sessions(hashes: readonly string[]): Promise<SessionRow[]>;
  tenants(by: TenantBy, subjects: readonly string[]): Promise<TenantRow[]>;
  close(): Promise<void>;
}

/** Stands in none of the columns but, if someone got it in there, the name, which comes last for that. */
const SEPARATOR = '\u001f';
const HASH_DIGITS = 64;
const FOUND_COLUMNS = [
  { name: 'hash', column: 'lower(hex(k.key_hash))', type: text() },
  ...Object.entries(DECIDING).map(([name, read]) => ({ name, ...read })),
  ...KEY_COLUMNS.map((name) => ({ name, column: `k.${name}`, type: KEY_COLUMN_TYPES[name] })),
];

/** A key comes as one text: databases and drivers take several times as long over two dozen columns. */
const FOUND = `concat_ws('${SEPARATOR}', ${FOUND_COLUMNS.map(({ column }) => `coalesce(${column}, '')`).join(', ')})`;
const KEYS = (found: string) => `
  select ${found} as found
  from api_keys k
  join tenants t on t.id = k.tenant_id
  left join users u on u.id = k.user_id
  left join memberships m on m.tenant_id = k.tenant_id and m.user_id = k.user_id
  where k.key_hash in `;

interface Found {
  found: string;
}

/** The columns of one key, each read when it is asked for: an object of them all would cost a request three times as much. */
class FoundTexts {
  readonly texts: string[];

  constructor(found: string) {
    this.texts = splitLastWhole(found, FOUND_COLUMNS.length);
  }
}

for (const [index, { name, type }] of FOUND_COLUMNS.entries()) {
  Object.defineProperty(FoundTexts.prototype, name, {
    get(this: FoundTexts) {
      return type.fromText(this.texts[index] ?? '');
    },
  });
}

/** The parts of a text; the last one may hold separators itself. */
function splitLastWhole(text: string, parts: number): string[] {
  const texts = text.split(SEPARATOR);
  if (texts.length > parts) texts[parts - 1] = texts.slice(parts - 1).join(SEPARATOR);
  return texts;
}

/** A key as it was found: one text, since of a thousand keys that wait to be judged the columns of all would fill the memory. */
export class FoundKeyText {
  readonly #text: string;

  constructor({ found }: Found) {
    this.#text = found;
  }

  get hash(): string {
    return this.#text.slice(0, HASH_DIGITS);
  }

  read(): AuthKeyRow {
    return new FoundTexts(this.#text) as unknown as AuthKeyRow;
  }
}

const foundKeyText = (found: Found) => new FoundKeyText(found);

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

const TENANTS = (by: TenantBy) => `select ${by} as subject, id, slug, policy from tenants where ${by} in `;

/** The value of a setting, unless its revision is the known one, which is written in the place of each `known`. */
const changedValue = (known: (name: SettingName) => string) =>
  `case ${SETTING_NAMES.map((name) => `when name = '${name}' and revision = ${known(name)} then null`).join(' ')} else value end`;

const SETTINGS = `select name, revision, ${changedValue(() => '?')} as value from installation_settings`;

/** What stands before a setting among keys, of which each begins with its hash. */
const SETTING = 'setting';

/** Servers put texts of two tables into one answer only where their collation is the same. */
const AS_BYTES = 'collate utf8mb4_bin';

/** The settings as texts that can be told from keys, so that one statement of the server gives both. */
const settingsAsTexts = (known: (name: SettingName) => string) => `
  select concat_ws('${SEPARATOR}', '${SETTING}', name, revision, ${changedValue(known)}) ${AS_BYTES} as found
  from installation_settings`;

/** Written out as bytes, no text can be read as a part of the statement. */
const bytesLiteral = (text: string) => `x'${Buffer.from(text).toString('hex')}'`;

const isSetting = ({ found }: Found) => found.startsWith(SETTING);

function settingRow({ found }: Found): SettingRow {
  const [, name, revision = '', value = null] = splitLastWhole(found, 4);
  return { name: name as SettingName, revision, value };
}

/** Hashes are compared as the bytes they are stored as. */
const bytesOf = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, 'hex'));

const revisionsOf = (known: Revisions) => SETTING_NAMES.map((name) => known[name]);

/** For so many keys and no more a statement is prepared: those of a caller who is alone, and of the key that it asks about. */
const MOST_PREPARED = 2;

/** How many questions may be under way at once; what arrives meanwhile waits for the next one. */
export const LOOKUPS_AT_ONCE = 2;

/** Opens connections of their own for lookups: never inside a transaction, and never behind a slow page. */
export function openLookups(config: DatabaseConfig): Lookups {
  return config.kind === 'sqlite' ? sqliteLookups(config.file) : mysqlLookups(config);
}

function mysqlLookups(config: Extract<DatabaseConfig, { kind: 'mysql' }>): Lookups {
  const db = connect(config, { poolSize: connectionsFor(config).lookups });
  const held = holdConnections(db);
  const keysQuery = KEYS(`${FOUND} ${AS_BYTES}`);
  const ask = async <Row>(sql: string, values: readonly (string | Buffer)[]) => {
    const [rows] = (await db.raw(`${sql}(${values.map(() => '?').join(',')})`, values)) as [Row[], unknown];
    return rows;
  };
  const together = (keys: string, settings: string | undefined) =>
    [...(keys === '()' ? [] : [keysQuery + keys]), ...(settings === undefined ? [] : [settings])].join(' union all ');
  const askFew = async (hashes: readonly string[], known: Revisions | undefined) => {
    if (hashes.length > MOST_PREPARED) return undefined;
    const sql = together(`(${hashes.map(() => '?').join(',')})`, known && settingsAsTexts(() => '?'));
    return held.askPrepared<Found>(sql, [...bytesOf(hashes), ...(known ? revisionsOf(known) : [])]);
  };
  const askMany = async (hashes: readonly string[], known: Revisions | undefined) => {
    // Written out, for a binding costs more than the hash itself; a hash is never what a caller wrote.
    const literals = hashes.map((hash) => `x'${hash}'`).join(',');
    return held.ask<Found>(together(`(${literals})`, known && settingsAsTexts((name) => bytesLiteral(known[name]))));
  };
  return {
    keys: async (hashes, known) => {
      const rows = (await askFew(hashes, known)) ?? (await askMany(hashes, known));
      if (!known) return { keys: rows.map(foundKeyText), settings: [] };
      const settings = rows.filter(isSetting).map(settingRow);
      return { keys: rows.filter((row) => !isSetting(row)).map(foundKeyText), settings };
    },
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    sessions: async (hashes) => ask<SessionRow>(SESSIONS, bytesOf(hashes)),
    tenants: async (by, subjects) => ask<TenantRow>(TENANTS(by), subjects),
    close: async () => {
      held.release();
      await db.destroy();
    },
  };
}

/** One prepared statement per question, run for each caller; for all keys of a turn at once, since beginning to read costs most. */
function sqliteLookups(file: string): Lookups {
  const connection = openSqlite(file);
  const keysQuery = KEYS(FOUND);
  const prepared = new Map<string, ReturnType<typeof connection.prepare>>();
  // Prepared late, since the tables may be younger than this connection.
  const statementOf = (sql: string) => {
    let statement = prepared.get(sql);
    if (!statement) prepared.set(sql, (statement = connection.prepare(sql)));
    return statement;
  };
  const ask = <Row>(sql: string, values: readonly (string | Uint8Array)[]) => {
    const statement = statementOf(`${sql}(?)`);
    return values.flatMap((value) => statement.all(value) as Row[]);
  };
  const askTogether = <Row>(sql: string, hashes: readonly string[]) =>
    statementOf(`${sql}(select unhex(value) from json_each(?))`).all(JSON.stringify(hashes)) as Row[];
  return {
    keys: async (hashes, known) => {
      const all = hashes.length <= 1 ? ask<Found>(keysQuery, bytesOf(hashes)) : askTogether<Found>(keysQuery, hashes);
      const settings = known ? (statementOf(SETTINGS).all(...revisionsOf(known)) as SettingRow[]) : [];
      return { keys: all.map(foundKeyText), settings };
    },
    people: async (by, subjects) => ask<PersonRow>(PEOPLE(by), subjects),
    sessions: async (hashes) => ask<SessionRow>(SESSIONS, bytesOf(hashes)),
    tenants: async (by, subjects) => ask<TenantRow>(TENANTS(by), subjects),
    close: async () => connection.close(),
  };
}
