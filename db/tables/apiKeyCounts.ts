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
/** What is counted: what has been added up, and what happened since then or is so now. */
type Figure = 'createdBefore' | 'endedBefore' | 'created' | 'revoked' | 'outOfGrace' | 'rotating' | 'expired';

const TABLE = 'api_key_counts';
const COLUMNS = { tenant_id: 'varchar(255)', environment: 'varchar(255)', created: 'bigint', ended: 'bigint' } as const;
const STEP = 5_000;
const NEVER = -1;

/** Up to when keys have been added up; said as a question, so that it is answered at the moment of the counts themselves. */
const UNTIL = `coalesce((select until from catch_ups where name = '${TABLE}'), ${NEVER})`;

const ALL: Figure[] = ['createdBefore', 'created'];
/** What tells the keys of a status; nothing tells active ones but that they are none of the others. */
const TOLD_BY: Record<KeyStatus, Figure[]> = {
  active: [],
  revoked: ['endedBefore', 'revoked', 'outOfGrace'],
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
  const isRest = statuses.includes('active');
  const told = (isRest ? KEY_STATUSES.filter((status) => !statuses.includes(status)) : statuses).flatMap(
    (status) => TOLD_BY[status],
  );
  const all = isRest ? ALL : [];
  const figures = await count(db, tenantId, { environment, now }, [...all, ...told]);
  const sum = (names: readonly Figure[]) => names.reduce((total, name) => total + (figures[name] ?? 0), 0);
  return isRest ? sum(all) - sum(told) : sum(told);
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

async function count(
  db: Db,
  tenantId: string,
  { environment, now }: Pick<KeyFilter, 'environment' | 'now'>,
  wanted: readonly Figure[],
): Promise<Partial<Record<Figure, number | null>>> {
  const whose = { tenant_id: tenantId, ...(environment && { environment }) };
  const own = (index: string) => db<Row>(strictlyAlong(db, 'api_keys', index)).where(whose);
  const until = db.raw(UNTIL);
  const questions: Record<Figure, () => Knex.QueryBuilder> = {
    createdBefore: () => table(db).where(whose).sum('created'),
    endedBefore: () => table(db).where(whose).sum('ended'),
    created: () => own(BY_CREATION).where('created_at', '>', until).count('*'),
    revoked: () => revokedIn(own(BY_REVOCATION), until).count('*'),
    outOfGrace: () => outOfGraceIn(own(BY_GRACE), until, now).count('*'),
    rotating: () => own(BY_GRACE).where('grace_ends_at', '>', now).whereRaw(STATUS.rotating, { now }).count('*'),
    expired: () => own(BY_EXPIRY).where('expires_at', '<=', now).whereRaw(STATUS.expired, { now }).count('*'),
  };
  if (wanted.length === 0) return {};
  const [figures] = await db.select<Partial<Record<Figure, number | null>>[]>(
    wanted.map((name) => questions[name]().as(name)),
  );
  return figures ?? {};
}

type Moment = number | Knex.Raw;

/** Those that ended by being revoked after a moment. */
function revokedIn(rows: Knex.QueryBuilder, from: Moment): Knex.QueryBuilder {
  return rows.where('revoked_at', '>', from).whereRaw('(grace_ends_at is null or revoked_at < grace_ends_at)');
}

/** Those that ended by their grace running out in a span of time. */
function outOfGraceIn(rows: Knex.QueryBuilder, from: Moment, to: number): Knex.QueryBuilder {
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
