import type { Knex } from 'knex';
import type { LifetimeRules } from '../../../app/domain/policy.ts';
import { joinInOrder, forceIndex } from '../../sql/indexHints.ts';
import type { Db } from '../../connection/connect.ts';
import { BY_END, BY_LAST_USE, BY_LEAK, endIn } from './apiKeyIndexes.ts';

/**
 * Why somebody should look at a key: it ends soon, nobody uses it, it never ends, it holds more than it uses, its text
 * was found where it should not be, or it breaks the policy.
 */
export const KEY_ATTENTIONS = ['expiring', 'unused', 'endless', 'overscoped', 'leaked', 'breaking'] as const;
export type KeyAttention = (typeof KEY_ATTENTIONS)[number];

/** The index whose order begins with the keys that need this attention; those that never end are read in any order. */
export const INDEX_OF_ATTENTION: Partial<Record<KeyAttention, string>> = { expiring: BY_END, unused: BY_LAST_USE };

const DAY_MS = 86_400_000;
/** How soon is soon, for a key that ends. */
export const SOON_MS = 7 * DAY_MS;
/** How long a leak is news, also of a key that has ended since. */
export const LEAK_SHOWN_MS = 30 * DAY_MS;
/** How long is long, for a key or a scope that nobody uses. */
export const UNUSED_MS = 90 * DAY_MS;
/** Whether a key holds more than it uses takes many look-ups: only so many are looked into, those that were used last. */
export const MOST_CHECKED = 500;

/** How many of each kind of attention the keys of a tenant need, each counted up to `most`. */
export async function countAttention(
  db: Db,
  tenantId: string,
  rules: LifetimeRules,
  now: number,
  most: number,
): Promise<Record<KeyAttention, number>> {
  const along = (index: string) => db(forceIndex(db, 'api_keys', index)).where({ tenant_id: tenantId });
  const counted = (rows: Knex.QueryBuilder) => db.from(rows.limit(most).as('some')).count('*');
  const needing = (attention: KeyAttention, rows: Knex.QueryBuilder, index = BY_LAST_USE) => {
    whereAttention(rows, attention, now, endIn(db, index), rules);
    return counted(rows.select(db.raw('1 as one')));
  };
  const long = now - UNUSED_MS;
  const [[slow], [quick]] = await Promise.all([
    db.select<{ overscoped: number }[]>([counted(overscoped(db, tenantId, now)).as('overscoped')]),
    db.select<Record<'expiring' | 'unused' | 'neverUsed' | 'endless' | 'leaked' | 'breaking', number>[]>([
      needing('expiring', along(BY_END), BY_END).as('expiring'),
      // Apart, since each of the two is one walk along the index.
      needing('unused', along(BY_LAST_USE).where('last_used_at', '<', long)).as('unused'),
      needing('unused', along(BY_LAST_USE).whereNull('last_used_at').where('id', '<', idBefore(long))).as('neverUsed'),
      needing('endless', along(BY_END), BY_END).as('endless'),
      needing('leaked', along(BY_LEAK)).as('leaked'),
      needing('breaking', along(BY_END)).as('breaking'),
    ]),
  ]);
  const { expiring = 0, unused = 0, neverUsed = 0, endless = 0, leaked = 0, breaking = 0 } = quick ?? {};
  return { expiring, unused: unused + neverUsed, endless, overscoped: slow?.overscoped ?? 0, leaked, breaking };
}

/** The keys that hold more than they use, of those that were used last. */
export async function overscopedKeys(db: Db, tenantId: string, now: number): Promise<string[]> {
  return overscoped(db, tenantId, now).pluck('api_keys.id');
}

/**
 * The same as a question. Which keys were used last is read from the index, and of their rows no more than somebody asks
 * for. A scope that is not used is joined to nothing: MariaDB takes half as long over that as over `exists`.
 */
function overscoped(db: Db, tenantId: string, now: number): Knex.QueryBuilder {
  const recent = inUse(db, tenantId, now).limit(MOST_CHECKED).as('recent');
  const inTurn = joinInOrder(db);
  const unusedDay = now - UNUSED_MS - ((now - UNUSED_MS) % DAY_MS);
  const rows = db(
    db.raw(
      `? ${inTurn} api_keys on api_keys.id = recent_id ${inTurn} api_key_scopes held on held.key_id = recent_id
        left join api_key_scope_uses used on used.key_id = held.key_id and used.day >= ? and ${COVERED}`,
      [recent, unusedDay],
    ),
  );
  whereAttention(rows, 'overscoped', now, endIn(db, undefined));
  const changes = forceIndex(db, 'audit_logs', 'audit_logs_tenant_id_entity_id_action_created_at_id');
  void rows.whereRaw(HELD_LONG, [changes, tenantId, now - UNUSED_MS]);
  return rows.whereNull('used.key_id').distinct('api_keys.id');
}

/** Whether a tenant uses more keys than are looked into. */
export async function hasMoreInUse(db: Db, tenantId: string, now: number): Promise<boolean> {
  return (await inUse(db, tenantId, now).offset(MOST_CHECKED).first<{ recent_id: string } | undefined>()) !== undefined;
}

function inUse(db: Db, tenantId: string, now: number): Knex.QueryBuilder {
  return db(forceIndex(db, 'api_keys', BY_LAST_USE))
    .where({ tenant_id: tenantId })
    .select('id as recent_id')
    .where('last_used_at', '>=', now - UNUSED_MS)
    .orderBy('last_used_at', 'desc');
}

/**
 * Narrows keys to those that work and need this attention. Those that end soon, break the rules or leak may have a successor
 * already, and of leaked keys those that have ended lately are among them.
 */
export function whereAttention(
  rows: Knex.QueryBuilder,
  attention: KeyAttention,
  now: number,
  end: string,
  rules?: LifetimeRules,
): void {
  if (attention === 'leaked') {
    void rows.whereRaw(LEAKED, { now, news: now - LEAK_SHOWN_MS });
    return;
  }
  if (attention === 'breaking') {
    whereBreaking(rows, rules, now);
    return;
  }
  // Said so that no index can begin with it: those on the end and last use hold far fewer of these keys.
  if (attention === 'expiring') void rows.whereRaw('coalesce(revoked_at, 0) = 0');
  else void rows.whereRaw('coalesce(revoked_at, grace_ends_at) is null and successor_key_id is null');
  const long = now - UNUSED_MS;
  void rows.whereRaw(CONDITION[attention].replaceAll('END', end), {
    now,
    soon: now + SOON_MS,
    long,
    longId: idBefore(long),
  });
}

/** `breaksLifetimeRules` of app/domain, said in SQL of keys that have not ended; a grace period never outlasts its key. */
function whereBreaking(rows: Knex.QueryBuilder, rules: LifetimeRules | undefined, now: number): void {
  const { maxLifetimeDays = null, requireExpiry = false } = rules ?? {};
  if (maxLifetimeDays === null && !requireExpiry) {
    void rows.whereRaw('1 = 0');
    return;
  }
  const most = maxLifetimeDays === null ? Number.MAX_SAFE_INTEGER : maxLifetimeDays * DAY_MS;
  void rows.whereRaw(
    `${NOT_ENDED} and coalesce(coalesce(grace_ends_at, expires_at) - api_keys.created_at > :most, 1)`,
    { now, most },
  );
}

/** The id that all made before a moment lie below. */
function idBefore(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** Neither revoked, nor replaced and out of grace, nor expired. */
const NOT_ENDED = `revoked_at is null and (grace_ends_at > :now or (grace_ends_at is null and successor_key_id is null))
  and (expires_at is null or expires_at > :now)`;

const LEAKED = `leak_reported_at > 0 and (leak_reported_at > :news or (${NOT_ENDED}))`;

const LIVING = '(expires_at is null or expires_at > :now)';

/** `covers` of app/domain/scope.ts, said in SQL of a scope that is `held` and one that was `used`. */
export const COVERED = `(used.scope = held.scope
  or (held.scope in ('*', '*:*') and used.scope not like 'platform:%')
  or (held.scope = 'read' and used.scope like '%:read' and used.scope not in ('admin:read', 'users:read',
    'members:read', 'modules:read', 'settings:read', 'webhooks:read', 'api-keys:read', 'platform:read'))
  or (held.scope like '%:write' and used.scope = replace(held.scope, ':write', ':read'))
  or (held.scope like '%:*' and held.scope <> '*:*' and used.scope like replace(held.scope, ':*', ':%'))
  or (held.scope = 'admin:*' and (used.scope like 'users:%' or used.scope like 'modules:%'
    or used.scope like 'settings:%' or used.scope like 'webhooks:%')))`;

/** A scope that was added within that time has had no time to be used; the audit log says when a key's scopes were changed. */
const HELD_LONG = `not exists (select 1 from ? where tenant_id = ? and entity_id = held.key_id
  and action = 'API_KEY_SCOPES_UPDATED' and audit_logs.created_at >= ?
  and instr(\`after\`, concat('"', held.scope, '"')) > 0 and instr(\`before\`, concat('"', held.scope, '"')) = 0)`;

const CONDITION: Record<Exclude<KeyAttention, 'leaked' | 'breaking'>, string> = {
  // One that was replaced without a grace period has ended.
  expiring: 'END > :now and END <= :soon and (grace_ends_at is not null or successor_key_id is null)',
  // One never used is judged by its id, which begins with the time it was made: so an index leads to exactly these.
  unused: `(last_used_at < :long or (last_used_at is null and id < :longId)) and ${LIVING}`,
  endless: 'END is null',
  // A key that nobody uses at all is counted there; one that is young, or is known here since lately, has had no time to show
  // what it needs. The rest, that
  // there is a scope it does not use, is for `overscopedKeys` to find out.
  overscoped: `last_used_at >= :long and coalesce(imported_at, created_at) < :long and ${LIVING}`,
};
