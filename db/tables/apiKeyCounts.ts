import type { Knex } from 'knex';
import { KEY_STATUSES, type KeyStatus } from '../../app/domain/keyStatus.ts';
import type { Environment } from '../../app/domain/token.ts';
import { strictlyAlong } from '../along.ts';
import { isSqlite, transaction, type Db } from '../connect.ts';
import { jsonRows } from '../jsonRows.ts';
import { STATUS, type KeyFilter } from './apiKeyFilter.ts';
import { BY_CREATION, BY_EXPIRY, BY_GRACE, BY_REVOCATION } from './apiKeyIndexes.ts';
import type { Row } from './apiKeyRow.ts';
import { holdReached, moveReached } from './catchUps.ts';

type Counts = { tenant_id: string; environment: Environment; created: number; ended: number };
type Since = Record<'created' | 'revoked' | 'outOfGrace' | 'rotating' | 'expired', number>;

const TABLE = 'api_key_counts';
const COLUMNS = { tenant_id: 'varchar(255)', environment: 'varchar(255)', created: 'bigint', ended: 'bigint' } as const;
const STEP = 5_000;
const NEVER = -1;

/** What tells the keys of a status that came to be in it lately, or at all. */
const SINCE: Record<KeyStatus, (keyof Since)[]> = {
  active: [],
  revoked: ['revoked', 'outOfGrace'],
  rotating: ['rotating'],
  expired: ['expired'],
};

/**
 * How many keys of a tenant are in some statuses. Those made and those ended until a while ago have been counted for
 * good, since no key is ever unmade or comes back; what happened since is counted now.
 */
export async function countByLife(
  db: Db,
  tenantId: string,
  { statuses = KEY_STATUSES, environment, now }: Pick<KeyFilter, 'statuses' | 'environment' | 'now'>,
): Promise<number> {
  const before = await countedBefore(db, tenantId, environment);
  // Nothing tells active keys but that they are none of the others.
  const isRest = statuses.includes('active');
  const told = isRest ? KEY_STATUSES.filter((status) => !statuses.includes(status)) : statuses;
  const names = told.flatMap((status) => SINCE[status]);
  const since = await countSince(db, tenantId, { ...before, environment, now }, isRest ? ['created', ...names] : names);
  const ended = told.includes('revoked') ? before.ended : 0;
  const found = names.reduce((sum, name) => sum + since[name], ended);
  return isRest ? before.created + since.created - found : found;
}

/** Counts a step further what was made and ended by `to`; false once it has come there. */
export async function countFurther(db: Db, to: number): Promise<boolean> {
  return transaction(db, async (trx) => {
    const from = (await holdReached(trx, TABLE))?.until ?? NEVER;
    if (from >= to) return false;
    const until = await stepEnd(trx, from, to);
    const counts = new Map<string, Counts>();
    const add = (rows: Pick<Counts, 'tenant_id' | 'environment'>[], what: 'created' | 'ended') => {
      for (const { total, ...whose } of rows as (Counts & { total: number })[]) {
        const place = `${whose.tenant_id} ${whose.environment}`;
        const known = counts.get(place) ?? { ...whose, created: 0, ended: 0 };
        counts.set(place, { ...known, [what]: known[what] + total });
      }
    };
    const grouped = (rows: Knex.QueryBuilder) =>
      rows.select('tenant_id', 'environment').count({ total: '*' }).groupBy('tenant_id', 'environment') as Promise<
        Counts[]
      >;
    const keys = () => trx<Row>('api_keys');
    add(await grouped(keys().where('created_at', '>', from).where('created_at', '<=', until)), 'created');
    add(await grouped(revokedIn(keys(), from).where('revoked_at', '<=', until)), 'ended');
    add(await grouped(outOfGraceIn(keys(), from, until)), 'ended');
    await addCounts(trx, [...counts.values()]);
    await moveReached(trx, TABLE, { until, keyId: '' });
    return until < to;
  });
}

/** The tenants for which more keys than this have been counted. */
export async function tenantsWithMoreKeys(db: Db, than: number): Promise<string[]> {
  return table(db).groupBy('tenant_id').havingRaw('sum(created) > ?', [than]).pluck('tenant_id');
}

async function countedBefore(
  db: Db,
  tenantId: string,
  environment: Environment | undefined,
): Promise<{ until: number; created: number; ended: number }> {
  // In one statement, so that the counts are those of this very moment.
  const rows = await db('catch_ups as reached')
    .where({ name: TABLE })
    .leftJoin(`${TABLE} as counts`, (join) => {
      void join.on(db.raw('counts.tenant_id = ?', [tenantId]));
      if (environment) void join.on(db.raw('counts.environment = ?', [environment]));
    })
    .select<{ until: number; created: number | null; ended: number | null }[]>('until', 'created', 'ended');
  return {
    until: rows[0]?.until ?? NEVER,
    created: rows.reduce((sum, { created }) => sum + (created ?? 0), 0),
    ended: rows.reduce((sum, { ended }) => sum + (ended ?? 0), 0),
  };
}

async function countSince(
  db: Db,
  tenantId: string,
  { until, environment, now }: { until: number; environment: Environment | undefined; now: number },
  wanted: readonly (keyof Since)[],
): Promise<Since> {
  const own = (index: string) =>
    db<Row>(strictlyAlong(db, 'api_keys', index)).where({ tenant_id: tenantId, ...(environment && { environment }) });
  const questions: Record<keyof Since, () => Knex.QueryBuilder> = {
    created: () => own(BY_CREATION).where('created_at', '>', until),
    revoked: () => revokedIn(own(BY_REVOCATION), until),
    outOfGrace: () => outOfGraceIn(own(BY_GRACE), until, now),
    rotating: () => own(BY_GRACE).where('grace_ends_at', '>', now).whereRaw(STATUS.rotating, { now }),
    expired: () => own(BY_EXPIRY).where('expires_at', '<=', now).whereRaw(STATUS.expired, { now }),
  };
  const asked = wanted.map((name) => questions[name]().count('*').as(name));
  const [counted] = asked.length === 0 ? [] : await db.select<Partial<Since>[]>(asked);
  return { created: 0, revoked: 0, outOfGrace: 0, rotating: 0, expired: 0, ...counted };
}

/** Those that ended by being revoked after a moment. */
function revokedIn(rows: Knex.QueryBuilder, from: number): Knex.QueryBuilder {
  return rows.where('revoked_at', '>', from).whereRaw('(grace_ends_at is null or revoked_at < grace_ends_at)');
}

/** Those that ended by their grace running out in a span of time. */
function outOfGraceIn(rows: Knex.QueryBuilder, from: number, to: number): Knex.QueryBuilder {
  return rows
    .where('grace_ends_at', '>', from)
    .where('grace_ends_at', '<=', to)
    .whereRaw('(revoked_at is null or revoked_at >= grace_ends_at)');
}

/** How far a step goes that is small enough to keep nobody waiting. */
async function stepEnd(db: Db, from: number, to: number): Promise<number> {
  const ends = [to];
  for (const column of ['created_at', 'revoked_at', 'grace_ends_at'] as const) {
    const rows = db<Row>('api_keys').where(column, '>', from).where(column, '<', to).orderBy(column);
    ends.push(...((await rows.limit(1).offset(STEP).pluck(column)) as number[]));
  }
  return Math.min(...ends);
}

async function addCounts(trx: Db, counts: readonly Counts[]): Promise<void> {
  if (counts.length === 0) return;
  const { from, value } = jsonRows(trx, COLUMNS, counts);
  const columns = Object.keys(COLUMNS).join(', ');
  const insert = `insert into ${TABLE} (${columns}) select ${columns} from ${from}`;
  const sums = (added: string) =>
    ['created', 'ended'].map((name) => `${name} = ${TABLE}.${name} + ${added}.${name}`).join(', ');
  const upsert = isSqlite(trx)
    ? `${insert} where true on conflict (tenant_id, environment) do update set ${sums('excluded')}`
    : `${insert} on duplicate key update ${sums('j')}`;
  await trx.raw(upsert, [value]);
}

function table(db: Db) {
  return db<Counts>(TABLE);
}
