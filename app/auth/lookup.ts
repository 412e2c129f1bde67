import {
  LOOKUPS_AT_ONCE,
  type AuthKeyRow,
  type FoundKeyText,
  type Lookups,
  type PersonBy,
  type PersonRow,
  type SessionRow,
  type SettingRow,
  type TenantBy,
  type TenantRow,
} from '../../db/lookups.ts';
import { SETTING_NAMES, type SettingName, type StoredSetting } from '../../db/tables/installationSettings.ts';
import { KEY_FIELDS, type ApiKey } from '../../db/tables/keys/apiKeyFields.ts';
import type { Tenant } from '../context.ts';
import { localeNamed, themeNamed, type Locale, type Theme } from '../domain/locale.ts';
import { earlierExpiry, type KeyBounds } from '../domain/keyBounds.ts';
import type { KeyStatusFacts } from '../domain/keyStatus.ts';
import { Networks } from '../domain/network.ts';
import { DEFAULT_PLAN, planLimits } from '../domain/plan.ts';
import { readPolicy } from '../domain/policy.ts';
import { memoizeByText } from '../domain/memoizeByText.ts';
import { permissionsOf, ROLES, type Permission, type Role } from '../domain/role.ts';
import type { ScopeSet } from '../domain/scope.ts';
import { catalogueOf } from '../domain/productScopes.ts';
import { scopeSetOf, type ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import type { SessionTimes } from '../domain/session.ts';
import type { Rate } from '../domain/rate.ts';
import { batchPerTurn } from './batchPerTurn.ts';

/** The fields of a key that its request knows just as they are stored. */
type KeptField = 'id' | 'name' | 'keyPrefix' | 'environment' | 'createdAt' | 'lastUsedAt' | keyof KeyStatusFacts;

/** A stored key with what decides about it, as it stood after the question was asked. */
export interface FoundKey extends Pick<ApiKey, KeptField> {
  scopes: ScopeSet;
  /** Its id, or its successor's: from there on `keyCounters` finds what its requests are counted by. */
  limitedBy: string;
  networks: Networks | null;
  /** The key's own rate limit, or else its tenant's, or else its plan's; null leaves it to the installation. */
  rateLimit: Rate | null;
  /** The key's own quota, or else its plan's. */
  monthlyQuota: number | null;
  externalId: string | null;
  /** As the JSON that is stored, since only the verify routes read it. */
  metadata: string;
  /** What it may give to other keys, from what is its own and what it follows. */
  bounds: KeyBounds;
  /** The person it belongs to, with the role they have now; null for a service token. */
  owner: {
    id: string;
    active: boolean;
    operator: boolean;
    role: Role | null;
    permissions: ReadonlySet<Permission>;
  } | null;
  tenant: Tenant & { active: boolean };
}

/** What a person is in one of their tenants. */
export interface Belonging {
  tenant: Tenant & { active: boolean; name: string };
  role: Role;
  permissions: ReadonlySet<Permission>;
}

export interface FoundPerson {
  id: string;
  name: string;
  active: boolean;
  operator: boolean;
  /** Null for who never did. */
  passwordChangedAt: number | null;
  /** The only tenant the person may act in by password until an operator's link resets it; null for no limit. */
  confinedTo: string | null;
  /** In the order in which the person joined. */
  memberships: Belonging[];
}

/** A browser in which somebody is signed in, open or not, and what its pages show of them. */
export interface FoundSession extends SessionTimes {
  id: string;
  /** The tenant whose page was opened last. */
  tenantId: string | null;
  /** What every form of the session carries. */
  csrfToken: string;
  email: string;
  locale: Locale | undefined;
  theme: Theme | undefined;
  person: FoundPerson;
}

declare module '../context.ts' {
  interface State {
    /** The browser session of a page's reader. */
    session?: FoundSession;
    /** Everything that somebody signed in belongs to. */
    belongings?: readonly Belonging[];
  }
}

/** The keys that one query found. */
export interface FoundKeys {
  /** The key of this hash; undefined where there is none. Throws where what is stored of it is not readable. */
  key(hash: string): FoundKey | undefined;
}

/** The one door by which authentication reaches the database; keys are found by the hash of their text in hexadecimal. */
export interface Lookup {
  key: (hash: string) => Promise<FoundKey | undefined>;
  /** Many keys by one query; each is read when it is asked for. */
  keys: (hashes: readonly string[]) => Promise<FoundKeys>;
  person: (by: PersonBy, subject: string) => Promise<FoundPerson | undefined>;
  session: (hash: Buffer) => Promise<FoundSession | undefined>;
  /** The tenant that a platform key names, by its id or its slug, whatever its status. */
  tenant: (by: TenantBy, subject: string) => Promise<Tenant | undefined>;
  /** What operators decided for the whole installation; asked in the turn of a key, no change of it is ever missed. */
  settings: () => Promise<InstallationSettings>;
  /** The catalogue of scopes among these settings. */
  catalogue: () => Promise<ScopeCatalogue>;
}

/** The settings of the installation as they stood after the question; an unchanged one is the same object as before. */
export type InstallationSettings = Readonly<Record<SettingName, StoredSetting>>;

/** The question for the settings of the installation among the hashes of keys, which are all longer. */
const SETTINGS = 'settings';

/** Lookups coalesced by turn; trouble of the database is 503 for all who asked, an unreadable row 500 for its own caller. */
export function createLookup(lookups: Lookups, { plans = true }: { plans?: boolean } = {}): Lookup {
  const settings = new KeptSettings();
  // Settings are asked for in the query of the keys, since many requests need both.
  const ask = batchPerTurn(async (questions) => {
    const known = questions.delete(SETTINGS) ? settings.current : undefined;
    const { keys, settings: rows } = await lookups.keys([...questions], known && revisionsOf(known));
    return new FoundInTurn(keys, known && settings.read(known, rows), plans);
  }, LOOKUPS_AT_ONCE);
  const person = (by: PersonBy) =>
    lookupOf(async (subjects) => bySubject(await lookups.people(by, subjects)), foundPerson);
  const people = { id: person('id'), email: person('email') };
  const session = lookupOf(async (hashes) => bySubject(await lookups.sessions(hashes)), foundSession);
  const tenant = (by: TenantBy) =>
    lookupOf(async (subjects) => bySubjectOnce(await lookups.tenants(by, subjects)), foundTenant);
  const tenants = { id: tenant('id'), slug: tenant('slug') };
  const allSettings = async () => (await ask([SETTINGS])).settings;
  return {
    key: (hash) => ask([hash]).then((found) => found.sharedKey(hash)),
    keys: ask,
    person: (by, subject) => people[by](subject),
    session: (hash) => session(hash.toString('hex')),
    tenant: (by, subject) => tenants[by](subject),
    settings: allSettings,
    catalogue: async () => catalogueOf((await allSettings()).scopes.value),
  };
}

/** Looks up one thing by its name, together with all others of its turn. */
function lookupOf<Found, Answer>(
  ask: (questions: string[]) => Promise<Map<string, Found>>,
  read: (found: Found) => Answer,
): (question: string) => Promise<Answer | undefined> {
  const inTurn = batchPerTurn(async (questions) => ask([...questions]), LOOKUPS_AT_ONCE);
  return async (question) => {
    const found = (await inTurn([question])).get(question);
    return found === undefined ? undefined : read(found);
  };
}

/** What the query of a turn found; each part is read by who asked for it, so that an unreadable one is nobody else's fault. */
class FoundInTurn implements FoundKeys {
  readonly #texts = new Map<string, FoundKeyText>();
  /** Keys that many requests of the turn come with. */
  readonly #shared = new Map<string, FoundKey>();
  readonly #settings: (() => InstallationSettings) | undefined;
  readonly #plans: boolean;

  constructor(keys: readonly FoundKeyText[], settings: (() => InstallationSettings) | undefined, plans: boolean) {
    for (const key of keys) this.#texts.set(key.hash, key);
    this.#settings = settings;
    this.#plans = plans;
  }

  key(hash: string): FoundKey | undefined {
    const text = this.#texts.get(hash);
    return text && foundKey(text.read(), this.#plans);
  }

  /** The same, read once for all who ask. */
  sharedKey(hash: string): FoundKey | undefined {
    const known = this.#shared.get(hash);
    if (known) return known;
    const key = this.key(hash);
    if (key) this.#shared.set(hash, key);
    return key;
  }

  get settings(): InstallationSettings {
    if (!this.#settings) throw new Error('the settings of the installation were not read');
    return this.#settings();
  }
}

const revisionsOf = ({ scopes, forward_auth_rules, foreign_keys }: InstallationSettings) => ({
  scopes: scopes.revision,
  forward_auth_rules: forward_auth_rules.revision,
  foreign_keys: foreign_keys.revision,
});

/** The values of settings are kept by revision, since they may be long; which revision holds is asked every time. */
class KeptSettings {
  static readonly #unread: StoredSetting = { revision: '', value: null };
  #current: InstallationSettings = {
    scopes: KeptSettings.#unread,
    forward_auth_rules: KeptSettings.#unread,
    foreign_keys: KeptSettings.#unread,
  };

  get current(): InstallationSettings {
    return this.#current;
  }

  /** The settings by what was found where these were known. */
  read(known: InstallationSettings, rows: readonly SettingRow[]): () => InstallationSettings {
    return () => {
      if (rows.length < SETTING_NAMES.length) throw new Error('a setting of the installation has no row');
      if (rows.every(({ name, revision }) => known[name].revision === revision)) return known;
      const found = { ...known };
      for (const { name, revision, value } of rows) {
        // Two queries may be under way: only what was known to this one may it have left out.
        const same = [known[name], this.#current[name]].find((one) => one.revision === revision);
        found[name] = same ?? { revision, value };
      }
      this.#current = found;
      return found;
    };
  }
}

/** What is known of one person, a row for each of their tenants. */
type RowsOf<Row> = [Row, ...Row[]];

const bySubjectOnce = (rows: TenantRow[]) => new Map(rows.map((row) => [row.subject, row]));

function bySubject<Row extends PersonRow>(rows: Row[]): Map<string, RowsOf<Row>> {
  const grouped = new Map<string, RowsOf<Row>>();
  for (const row of rows) {
    const known = grouped.get(row.subject);
    if (known) known.push(row);
    else grouped.set(row.subject, [row]);
  }
  return grouped;
}

/** `plans` is off without the sample product: then the plan that a tenant still has sets no limits. */
function foundKey(row: AuthKeyRow, plans: boolean): FoundKey {
  const tenant = tenantOf(row.tenant_id, row.tenant_slug, row.tenant_status, row.tenant_policy);
  const plan = planLimits(plans ? row.tenant_plan : DEFAULT_PLAN);
  const ownRate = KEY_FIELDS.rateLimit.read(row);
  const rateLimit = ownRate ?? tenant.policy.defaultRateLimit ?? plan.rateLimit;
  const monthlyQuota = row.monthly_quota ?? plan.monthlyQuota;
  return {
    id: row.id,
    name: row.name,
    keyPrefix: row.key_prefix,
    limitedBy: row.successor_key_id ?? row.id,
    environment: row.environment,
    scopes: parsedScopes(row.scopes),
    networks: row.allowed_ips === null ? null : parsedNetworks(row.allowed_ips),
    rateLimit,
    monthlyQuota,
    expiresAt: row.expires_at,
    graceEndsAt: row.grace_ends_at,
    successorKeyId: row.successor_key_id,
    revokedAt: row.revoked_at,
    pausedAt: row.paused_at,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    externalId: row.external_id,
    metadata: row.metadata,
    bounds: {
      expiresAt: earlierExpiry(row.expires_at, row.grace_ends_at),
      allowedIps: row.allowed_ips === null ? [] : parsedTexts(row.allowed_ips),
      rateLimit: { own: ownRate, holds: rateLimit },
      monthlyQuota: { own: row.monthly_quota, holds: monthlyQuota },
    },
    owner: ownerOf(row),
    tenant,
  };
}

function ownerOf(row: AuthKeyRow): FoundKey['owner'] {
  if (row.user_id === null) return null;
  const role = roleOf(row.user_role);
  const permissions = role ? permissionsIn(role, row.user_permissions) : new Set<Permission>();
  return {
    id: row.user_id,
    active: row.user_status === 'active',
    operator: row.user_operator === 1,
    role,
    permissions,
  };
}

function foundSession(rows: RowsOf<SessionRow>): FoundSession {
  const [{ session_id: id, session_tenant_id: tenantId, csrf_token: csrfToken, email, ...row }] = rows;
  return {
    id,
    tenantId,
    csrfToken,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    email,
    locale: localeNamed(row.locale),
    theme: themeNamed(row.theme),
    person: foundPerson(rows),
  };
}

function foundPerson(rows: RowsOf<PersonRow>): FoundPerson {
  const [{ user_id: id, name, user_status: status, operator, password_changed_at: passwordChangedAt, confined_to }] =
    rows;
  const memberships = [...rows].sort(byJoining).flatMap(membershipOf);
  const standing = { active: status === 'active', operator: operator === 1 };
  return { id, name, ...standing, passwordChangedAt, confinedTo: confined_to, memberships };
}

/** In the order of `belongingsOf`. */
function byJoining(a: PersonRow, b: PersonRow): number {
  return (a.joined_at ?? 0) - (b.joined_at ?? 0) || ((a.tenant_id ?? '') < (b.tenant_id ?? '') ? -1 : 1);
}

function foundTenant({ id, slug, policy }: TenantRow): Tenant {
  return { id, slug, policy: readPolicy(policy) };
}

function membershipOf(row: PersonRow): Belonging[] {
  const role = roleOf(row.role);
  const { tenant_id: id, tenant_slug: slug, tenant_name: name } = row;
  if (id === null || slug === null || name === null || role === null) return [];
  const tenant = { ...tenantOf(id, slug, row.tenant_status, row.tenant_policy), name };
  return [{ tenant, role, permissions: permissionsIn(role, row.permissions) }];
}

function tenantOf(id: string, slug: string, status: string | null, policy: string | null): FoundKey['tenant'] {
  return { id, slug, active: status === 'active', policy: readPolicy(policy) };
}

function permissionsIn(role: Role, granted: string | null): ReadonlySet<Permission> {
  return permissionsOf(role, JSON.parse(granted ?? '[]') as string[]);
}

/** A role this release does not know opens nothing. */
function roleOf(text: string | null): Role | null {
  return ROLES.find((role) => role === text) ?? null;
}

/** Parsing is remembered by content, which cannot go stale; the key's state is not. */
const parsedScopes = memoizeByText((text) => scopeSetOf(JSON.parse(text) as string[]));
const parsedTexts = memoizeByText<readonly string[]>((text) => Object.freeze(JSON.parse(text) as string[]));
const parsedNetworks = memoizeByText((text) => Networks.of(parsedTexts(text)));
