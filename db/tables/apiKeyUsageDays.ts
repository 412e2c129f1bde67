import type { Knex } from 'knex';
import { along } from '../along.ts';
import { isSqlite, transaction, type Db } from '../connect.ts';
import { jsonRows } from '../jsonRows.ts';
import type { Span } from './apiKeyUsageHours.ts';
import { holdReached, moveReached, reachedBy } from './catchUps.ts';

type Row = { key_id: string; day: number; tenant_id: string; requests: number };
type Told = { key_id: string; days: string | number; requests: string | number };
type Hour = { key_id: string; tenant_id: string; hour: number; ok: number; denied: number };

const TABLE = 'api_key_usage_days';
const HOURS = 'api_key_usage_hours';
const COLUMNS = { key_id: 'varchar(255)', day: 'bigint', tenant_id: 'varchar(255)', requests: 'bigint' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP = 1_000;
const BEGINNING = { until: 0, keyId: '' };

/** An hour is summed up only when it is over for longer than this. */
export const OPEN_MS = 4 * HOUR_MS;
/** What comes this late may find its hour summed up; the rest of the time is for clocks that differ. */
const LATE_MS = 2 * HOUR_MS;

/** Up to when hours have been summed up; it only grows, so `sumByDay` may be given what it was a while ago. */
export async function daysReached(db: Db): Promise<number> {
  return ((await reachedBy(db, TABLE)) ?? BEGINNING).until;
}

/** How many requests these keys made on each day of a span, the oldest first; keys without a request are left out. */
export async function sumByDay(
  db: Db,
  tenantId: string,
  keyIds: readonly string[],
  { from, to }: Span,
  reached?: number,
): Promise<ReadonlyMap<string, number[]>> {
  if (keyIds.length === 0) return new Map();
  // Without the sign SQLite would go through all that is the tenant's.
  const own = isSqlite(db) ? '+tenant_id = ?' : 'tenant_id = ?';
  const until = reached ?? (await daysReached(db));
  const days = db<Row>(along(db, TABLE, 'PRIMARY'))
    .whereIn('key_id', [...keyIds])
    .whereRaw(own, [tenantId])
    .where('day', '>=', from)
    .where('day', '<', to)
    // A row for each key and not for each of its days, whose making would cost more than all the rest of it. A month of
    // days is half of what MySQL puts into such a list.
    .select('key_id', db.raw('group_concat(day) as days'), db.raw('group_concat(requests) as requests'))
    .groupBy('key_id');
  const hours = db<Hour>(
    db.raw('?? left join catch_ups as reached on reached.name = ?', [along(db, HOURS, 'PRIMARY') as string, TABLE]),
  )
    .whereIn(`${HOURS}.key_id`, [...keyIds])
    .whereRaw(own, [tenantId])
    .where('hour', '>=', Math.max(from, until))
    .where('hour', '<', to)
    // The same again, as it is at the moment of this very statement.
    .whereRaw(`(until is null or hour > until or (hour = until and ${HOURS}.key_id > reached.key_id))`)
    // By the hour and not by the day, since that is the order in which they are read.
    .select(`${HOURS}.key_id`, db.raw('hour as days'), db.raw('sum(ok + denied) as requests'))
    .groupBy(`${HOURS}.key_id`, 'hour');
  const sums = new Map<string, number[]>();
  for (const { key_id, ...told } of (await db.unionAll([days, hours] as Knex.QueryBuilder[])) as Told[]) {
    const counts = sums.get(key_id) ?? Array<number>(Math.round((to - from) / DAY_MS)).fill(0);
    const requests = numbersIn(told.requests);
    numbersIn(told.days).forEach((day, at) => {
      const index = Math.floor((day - from) / DAY_MS);
      counts[index] = (counts[index] ?? 0) + (requests[at] ?? 0);
    });
    sums.set(key_id, counts);
  }
  return sums;
}

function numbersIn(list: string | number): number[] {
  return JSON.parse(`[${list}]`) as number[];
}

/** Sums a step further the hours that are over by `to` into days; false once it has come there. */
export async function sumDaysFurther(db: Db, to: number): Promise<boolean> {
  return transaction(db, async (trx) => {
    const reached = (await holdReached(trx, TABLE)) ?? BEGINNING;
    const open = trx<Hour>(HOURS).where('hour', '>=', reached.until);
    const next = await open.first<{ hour: number | null }>(trx.raw('min(hour) as hour'));
    const hour = next.hour ?? Infinity;
    if (hour + HOUR_MS > to) return false;
    const keyId = hour > reached.until ? '' : reached.keyId;
    const sums = await trx<Hour>(HOURS)
      .where({ hour })
      .where('key_id', '>', keyId)
      .select<{ key_id: string; tenant_id: string; requests: number }[]>(
        ...['key_id', 'tenant_id'],
        trx.raw<number>('sum(ok + denied) as requests'),
      )
      .groupBy('key_id', 'tenant_id')
      .orderBy('key_id')
      .limit(STEP);
    await addRequests(
      trx,
      sums.map((sum) => ({ ...sum, day: dayOf(hour) })),
    );
    const last = sums.length === STEP ? sums.at(-1)?.key_id : undefined;
    await moveReached(
      trx,
      TABLE,
      last === undefined ? { until: hour + HOUR_MS, keyId: '' } : { until: hour, keyId: last },
    );
    return true;
  });
}

/** Adds to the days what this transaction has added to hours that were summed up before it came. */
export async function addLateRequests(trx: Db, hours: readonly Hour[], now: number): Promise<void> {
  const late = hours.filter(({ hour }) => hour + HOUR_MS < now - LATE_MS);
  if (late.length === 0) return;
  const { until, keyId } = (await holdReached(trx, TABLE)) ?? BEGINNING;
  const missed = late.filter(({ hour, key_id }) => hour < until || (hour === until && key_id <= keyId));
  const days = new Map<string, Row>();
  for (const { key_id, tenant_id, hour, ok, denied } of missed) {
    const day = dayOf(hour);
    const known = days.get(`${key_id} ${day}`);
    days.set(`${key_id} ${day}`, { key_id, day, tenant_id, requests: (known?.requests ?? 0) + ok + denied });
  }
  await addRequests(trx, [...days.values()]);
}

async function addRequests(trx: Db, days: readonly Row[]): Promise<void> {
  if (days.length === 0) return;
  const { from, value } = jsonRows(trx, COLUMNS, days);
  const columns = Object.keys(COLUMNS).join(', ');
  const insert = `insert into ${TABLE} (${columns}) select ${columns} from ${from}`;
  const sum = (added: string) => `requests = ${TABLE}.requests + ${added}.requests`;
  const upsert = isSqlite(trx)
    ? `${insert} where true on conflict (key_id, day) do update set ${sum('excluded')}`
    : `${insert} on duplicate key update ${sum('j')}`;
  await trx.raw(upsert, [value]);
}

function dayOf(hour: number): number {
  return hour - (hour % DAY_MS);
}
