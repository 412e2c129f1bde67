import type { Knex } from 'knex';
import { isId } from '../../../app/domain/id.ts';
import { shownParts, type ShownPart } from '../../../app/domain/keySearch.ts';
import { KEY_STATUSES, type KeyStatus } from '../../../app/domain/keyStatus.ts';
import type { LifetimeRules } from '../../../app/domain/policy.ts';
import type { Environment } from '../../../app/domain/token.ts';
import { joinInOrder, forceIndex, ignoreIndex } from '../../sql/indexHints.ts';
import type { Db } from '../../connection/connect.ts';
import { isSqlite } from '../../connection/rawDb.ts';
import { containsPattern, escapeLike, LIKE } from '../../sql/like.ts';
import { whereAttention, type KeyAttention } from './apiKeyAttention.ts';
import type { KeyRow } from './apiKeyFields.ts';
import { byId, endIn, SCOPES_START_LENGTH } from './apiKeyIndexes.ts';

export interface KeyFilter {
  /** Every status unless given; which one a key has is a matter of `now`. */
  statuses?: readonly KeyStatus[] | undefined;
  scope?: string | undefined;
  environment?: Environment | undefined;
  /** The person they belong to; null for those of the tenant itself. */
  owner?: string | null | undefined;
  /** Only those that end within a week, a replaced one with its grace period. */
  endsSoon?: boolean | undefined;
  /** Only those that can open something. */
  reach?: readonly KeyReach[] | undefined;
  /** As `searchText` gives it: part of the name or external id, what the key shows of itself, or an id. */
  text?: string | undefined;
  /** Only those that somebody should look at, and why. */
  attention?: KeyAttention | undefined;
  /** The rules of the tenant's policy, for keys that break them. */
  rules?: LifetimeRules | undefined;
  /** Only those that end at some time, or only those that never do. */
  ends?: 'sometime' | 'never' | undefined;
  /** None but these can fit, which `narrowed` found out. */
  ids?: readonly string[] | undefined;
  /** Keys are found by their scope, which few have, and then sorted, instead of along the order of the list. */
  scopeLeads?: boolean;
  now: number;
}

/** Who can open something by holding which scopes. */
export interface KeyReach {
  /** The people whose keys these are; null for the keys of the tenant itself. */
  owners: readonly (string | null)[];
  /** One of these is enough; undefined where it takes none. */
  scopes: readonly string[] | undefined;
}

/** Asks for the keys of all tenants, which nobody can do by forgetting to name one. */
export const EVERY_TENANT = Symbol('every tenant');
export type TenantOrEvery = string | typeof EVERY_TENANT;

/** The keys that fit, read along one index of the tenant's where that is known to be the way. */
export function matching(
  db: Db,
  whose: TenantOrEvery,
  filter: KeyFilter,
  index?: string,
): Knex.QueryBuilder<KeyRow, KeyRow[]> {
  const { statuses, scope, scopeLeads, environment, owner, text, attention, endsSoon, reach, rules, ids, now } = filter;
  const rows = db<KeyRow>(sourceOf(db, whose, filter, index));
  if (ids) void rows.whereIn('api_keys.id', [...ids]);
  if (environment) void rows.where({ environment });
  if (whose !== EVERY_TENANT) void rows.where('api_keys.tenant_id', whose);
  if (owner !== undefined) void (owner === null ? rows.whereNull('user_id') : rows.where({ user_id: owner }));
  if (scope !== undefined && !scopeLeads) void rows.whereRaw(...holdsOneOf(db, [scope]));
  if (reach) void rows.where((row) => whereReach(db, row, reach));
  if (text !== undefined) void rows.where((row) => whereText(row, text));
  if (filter.ends) void rows.whereRaw(`${endIn(db, index)} is ${filter.ends === 'never' ? '' : 'not '}null`);
  if (attention) whereAttention(rows, attention, now, endIn(db, index), rules);
  if (endsSoon) whereAttention(rows, 'expiring', now, endIn(db, index));
  if (statuses) whereStatuses(rows, statuses, now);
  return rows;
}

function sourceOf(
  db: Db,
  whose: TenantOrEvery,
  { ids, scope, scopeLeads }: KeyFilter,
  index: string | undefined,
): string | Knex.Raw {
  if (whose === EVERY_TENANT) return 'api_keys';
  // The index of all tenants' keys by time would lead a tenant through everybody's.
  const own =
    index === undefined ? ignoreIndex(db, 'api_keys', 'api_keys_created_at_id') : forceIndex(db, 'api_keys', index);
  const keys = ids || scopeLeads ? forceIndex(db, 'api_keys', byId(db)) : own;
  if (scope === undefined || !scopeLeads) return keys;
  const granted = 'api_keys.id = granted.key_id and granted.tenant_id = ? and granted.scope = ?';
  return db.raw(`api_key_scopes as granted ${joinInOrder(db)} ?? on ${granted}`, [keys as string, whose, scope]);
}

/**
 * Whether a key holds one of these very scopes, as far as possible by what the indexes of the list contain: the list of its
 * scopes, of which MySQL's indexes have room for the beginning.
 */
function holdsOneOf(db: Db, scopes: readonly string[]): [sql: string, bindings: string[]] {
  const listed = scopes.map((scope) => JSON.stringify(scope));
  const column = isSqlite(db) ? 'scopes' : 'scopes_start';
  const anyListed = scopes.map(() => `instr(${column}, ?) > 0`).join(' or ');
  if (isSqlite(db)) return [`(${anyListed})`, listed];
  const anyGranted = scopes.map(() => 'granted.scope = ?').join(' or ');
  const rest = `select 1 from api_key_scopes granted where granted.key_id = api_keys.id and (${anyGranted})`;
  return [
    `(${anyListed} or (length(scopes_start) = ${SCOPES_START_LENGTH} and exists (${rest})))`,
    [...listed, ...scopes],
  ];
}

/** Narrows keys to those of these owners that hold one of the scopes. */
function whereReach(db: Db, row: Knex.QueryBuilder, reach: readonly KeyReach[]): void {
  if (reach.length === 0) void row.whereRaw('1 = 0');
  for (const { owners, scopes } of reach) {
    void row.orWhere((key) => {
      const people = owners.filter((owner) => owner !== null);
      void key.where((one) => {
        void one.whereIn('user_id', people);
        if (owners.includes(null)) void one.orWhereNull('user_id');
      });
      if (scopes) void key.whereRaw(...holdsOneOf(db, scopes));
    });
  }
}

function whereStatuses(rows: Knex.QueryBuilder, statuses: readonly KeyStatus[], now: number): void {
  const others = KEY_STATUSES.filter((status) => !statuses.includes(status));
  if (others.length === 0) return;
  if (statuses.length === 0) {
    void rows.whereRaw('1 = 0');
    return;
  }
  const isAnyButRevoked = others.length === 1 && others[0] === 'revoked';
  void rows.whereRaw(isAnyButRevoked ? LIVING : `(${statuses.map((status) => STATUS[status]).join(' or ')})`, { now });
}

/** Not yet over: neither revoked, nor replaced and out of grace. */
const LIVING = `(revoked_at is null and (grace_ends_at > :now
  or (grace_ends_at is null and successor_key_id is null)))`;

/** `keyStatus` of app/domain, said in SQL. */
export const STATUS: Record<KeyStatus, string> = {
  revoked: `(revoked_at is not null or grace_ends_at <= :now
    or (grace_ends_at is null and successor_key_id is not null))`,
  expired: `(revoked_at is null and expires_at <= :now
    and (grace_ends_at > :now or (grace_ends_at is null and successor_key_id is null)))`,
  paused: `(paused_at is not null and ${LIVING} and (expires_at is null or expires_at > :now))`,
  rotating: `(revoked_at is null and grace_ends_at > :now and paused_at is null
    and (expires_at is null or expires_at > :now))`,
  active: `(revoked_at is null and grace_ends_at is null and successor_key_id is null and paused_at is null
    and (expires_at is null or expires_at > :now))`,
};

/** Narrows keys to those that the text may mean: by name, external id, what they show of themselves, or id. */
function whereText(row: Knex.QueryBuilder, text: string): void {
  const pattern = patternOf(text);
  void row.whereRaw(`name ${LIKE}`, [pattern]).orWhereRaw(`external_id ${LIKE}`, [pattern]);
  for (const shown of shownParts(text)) void row.orWhere((key) => whereShown(key, shown));
  if (isId(text)) void row.orWhere({ id: text });
}

/** What a mask leaves out may be anything, since a long name or external id may have been cut to a mask too. */
function patternOf(text: string): string {
  const [shown] = shownParts(text);
  return shown?.prefix && shown.lastFour !== undefined
    ? `%${escapeLike(shown.prefix)}%${escapeLike(shown.lastFour)}%`
    : containsPattern(text);
}

/** A prefix is compared without `like`, for which SQLite takes no notice of case: no character of it comes after a tilde. */
function whereShown(row: Knex.QueryBuilder, { prefix, lastFour }: ShownPart): void {
  if (lastFour !== undefined) void row.where({ last_four: lastFour });
  if (prefix === undefined) return;
  void row.where((key) => {
    void key.where((one) => void one.where('key_prefix', '>=', prefix).where('key_prefix', '<', `${prefix}~`));
    // The stored prefix of an imported key may be shorter than the one in the mask that is searched for.
    if (lastFour !== undefined) void key.orWhereRaw('substr(?, 1, length(key_prefix)) = key_prefix', [prefix]);
  });
}
