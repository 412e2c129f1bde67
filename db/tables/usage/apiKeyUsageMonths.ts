import type { Knex } from 'knex';
import { monthStart, type Span } from '../../../app/domain/times.ts';
import { delay, nextTurn } from '../../../app/timing.ts';
import { useIndex } from '../../sql/indexHints.ts';
import type { Db } from '../../connection/connect.ts';
import { isSqlite, rawTransaction, rowsOf, type RawDb, type TransactionalDb } from '../../connection/rawDb.ts';
import { compareIds } from '../../sql/compareIds.ts';
import { jsonRows } from '../../sql/jsonRows.ts';
import { findRollupProgress, lockRollupProgress, saveRollupProgress } from './rollupProgress.ts';

type Row = { key_id: string; month: number; tenant_id: string };
type Sum = { key_id: string; tenant_id: string; day: number; requests: number };
type Told = { key_id: string; first: number; requests: string | number };
type Hour = { key_id: string; tenant_id: string; hour: number; ok: number; denied: number };

const TABLE = 'api_key_usage_months';
const HOURS = 'api_key_usage_hours';
/** A column for each day of the month, `d1` to `d31`. */
const DAYS = Array.from({ length: 31 }, (_, index) => `d${index + 1}`);
const COLUMNS = { key_id: 'varchar(255)', month: 'bigint', tenant_id: 'varchar(255)', requests: 'bigint' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How many keys are summed up in one transaction. */
const STEP = { sqlite: 250, mysql: 1_000 };
/** On SQLite, whose keys of an hour are read before: how many such transactions follow, and for how long others may write after each. */
const STEPS = 200;
const PAUSE_MS = 5;
const ROWS_READ = 2_000;
const BEGINNING = { until: 0, keyId: '' };

/** An hour is summed up only when it is over for longer than this. */
export const OPEN_MS = 4 * HOUR_MS;
/** What comes this late may find its hour summed up; the rest of the time is for clocks that differ. */
const LATE_MS = 2 * HOUR_MS;

/** How many requests these keys made on each day of a span of whole days, the oldest first; keys without one are left out. */
export async function sumByDay(
  db: Db,
  tenantId: string,
  keyIds: readonly string[],
  { from, to }: Span,
): Promise<ReadonlyMap<string, number[]>> {
  if (keyIds.length === 0) return new Map();
  // Without the sign SQLite would go through all that is the tenant's.
  const own = isSqlite(db) ? '+tenant_id = ?' : 'tenant_id = ?';
  const months = db<Row>(useIndex(db, TABLE, 'PRIMARY'))
    .whereIn('key_id', [...keyIds])
    // Each month by its name: for a range, MariaDB would read all the months that a key has.
    .whereIn('month', monthsOf({ from, to }))
    .whereRaw(own, [tenantId])
    // One text for the days of a row, since thirty values would cost more to receive than all the rest of it.
    .select('key_id', db.raw('month as first'), db.raw(`concat_ws(',', ${DAYS.join(', ')}) as requests`));
  const hours = db<Hour>(
    db.raw('?? left join catch_ups as reached on reached.name = ?', [useIndex(db, HOURS, 'PRIMARY') as string, TABLE]),
  )
    .whereIn(`${HOURS}.key_id`, [...keyIds])
    .whereRaw(own, [tenantId])
    // Once as a value, so that the hours before it are not even read.
    .whereRaw(
      `hour >= ${isSqlite(db) ? 'max' : 'greatest'}(?, coalesce((select until from catch_ups where name = ?), 0))`,
      [from, TABLE],
    )
    .where('hour', '<', to)
    .whereRaw(`(until is null or hour > until or (hour = until and ${HOURS}.key_id > reached.key_id))`)
    // By the hour and not by the day, since that is the order in which they are read.
    .select(`${HOURS}.key_id`, db.raw('hour as first'), db.raw('sum(ok + denied) as requests'))
    .groupBy(`${HOURS}.key_id`, 'hour');
  const length = Math.round((to - from) / DAY_MS);
  const sums = new Map<string, number[]>();
  for (const { key_id, first, requests } of (await db.unionAll([months, hours] as Knex.QueryBuilder[])) as Told[]) {
    const counts = sums.get(key_id) ?? Array<number>(length).fill(0);
    sums.set(key_id, counts);
    const place = Math.floor((first - from) / DAY_MS);
    numbersIn(requests).forEach((number, days) => {
      // A month begins before the span and ends after it.
      const index = place + days;
      if (index >= 0 && index < length) counts[index] = (counts[index] ?? 0) + number;
    });
  }
  // A month may have requests on other days only.
  return new Map([...sums].filter(([, counts]) => counts.some((requests) => requests > 0)));
}

function monthsOf({ from, to }: Span): number[] {
  const months: number[] = [];
  // From its beginning 31 days lead into the next month, and never past that one.
  for (let month = monthStart(from); month < to; month = monthStart(month + 31 * DAY_MS)) months.push(month);
  return months;
}

function numbersIn(list: string | number): number[] {
  return JSON.parse(`[${list}]`) as number[];
}

/** Whether hours are over by `to` that are not summed up. */
export async function hasDaysToRollUp(db: RawDb, to: number): Promise<boolean> {
  const { until } = (await findRollupProgress(db, TABLE)) ?? BEGINNING;
  return (await nextHour(db, until)) + HOUR_MS <= to;
}

/** The first hour from then on in which a key was used; infinite where there is none. */
async function nextHour(db: RawDb, from: number): Promise<number> {
  const [next] = await rowsOf<{ hour: number | null }>(db, `select min(hour) as hour from ${HOURS} where hour >= ?`, [
    from,
  ]);
  return next?.hour ?? Infinity;
}

/** Sums a step further the hours that are over by `to` into days; false once it has come there. */
export async function rollUpNextDays(db: TransactionalDb, to: number, { steps = STEPS } = {}): Promise<boolean> {
  if (isSqlite(db)) return rollUpNextKeys(db, to, steps);
  return rawTransaction(db, async (trx) => {
    const reached = (await lockRollupProgress(trx, TABLE)) ?? BEGINNING;
    const hour = await nextHour(trx, reached.until);
    if (hour + HOUR_MS > to) return false;
    const sums = await rowsOf<Sum>(
      trx,
      `select key_id, min(tenant_id) as tenant_id, ? as day, sum(ok + denied) as requests
        from ${HOURS} force index (${HOURS}_hour) where hour = ? and key_id > ?
        group by key_id order by key_id limit ?`,
      [dayOf(hour), hour, hour > reached.until ? '' : reached.keyId, STEP.mysql],
    );
    await addRequests(trx, sums);
    await moveOn(trx, hour, sums.length === STEP.mysql ? sums.at(-1)?.key_id : undefined);
    return true;
  });
}

/**
 * The same on SQLite, where no index has the keys of an hour in their order: looking for the next ones in each transaction
 * would read the whole hour each time, under the lock that all who write wait for. Here they are read once, without it.
 */
async function rollUpNextKeys(db: TransactionalDb, to: number, most: number): Promise<boolean> {
  const { until } = (await findRollupProgress(db, TABLE)) ?? BEGINNING;
  const hour = await nextHour(db, until);
  if (hour + HOUR_MS > to) return false;
  const keys = new KeysOfHour(hour);
  while (await keys.readMore(db)) await nextTurn();
  for (let steps = 0; steps < most; steps++) {
    const isOver = await rawTransaction(db, async (trx) => {
      const reached = (await lockRollupProgress(trx, TABLE)) ?? BEGINNING;
      if ((await nextHour(trx, reached.until)) !== hour) return true;
      // Keys of this hour may have been added since, by uses that were written late.
      while (await keys.readMore(trx));
      const next = keys.after(hour > reached.until ? '' : reached.keyId, STEP.sqlite);
      await addRequests(trx, await sumsOf(trx, hour, next));
      const last = next.length === STEP.sqlite ? next.at(-1) : undefined;
      await moveOn(trx, hour, last);
      return last === undefined;
    });
    if (isOver) break;
    await delay(PAUSE_MS);
  }
  return true;
}

/** The keys that were used in an hour. */
class KeysOfHour {
  readonly #hour: number;
  readonly #known = new Set<string>();
  #sorted: string[] = [];
  #isSorted = true;
  #next = 0;
  /** The last row that was read: rows are never changed into those of other keys, and new ones come behind it. */
  #lastRow = 0;

  constructor(hour: number) {
    this.#hour = hour;
  }

  /** Reads some rows that were not read yet; false where there are no more. */
  async readMore(db: RawDb): Promise<boolean> {
    const rows = await rowsOf<{ place: number; key_id: string }>(
      db,
      `select rowid as place, key_id from ${HOURS} indexed by ${HOURS}_hour where hour = ? and rowid > ? order by rowid limit ?`,
      [this.#hour, this.#lastRow, ROWS_READ],
    );
    for (const { key_id } of rows) this.#known.add(key_id);
    this.#isSorted &&= rows.length === 0;
    this.#lastRow = rows.at(-1)?.place ?? this.#lastRow;
    return rows.length === ROWS_READ;
  }

  /** The first ones behind this key, in the order of their ids; each time it is a later key. */
  after(keyId: string, most: number): string[] {
    if (!this.#isSorted) {
      this.#sorted = [...this.#known].sort(compareIds);
      this.#isSorted = true;
      this.#next = 0;
    }
    while ((this.#sorted[this.#next] ?? '~') <= keyId) this.#next++;
    return this.#sorted.slice(this.#next, this.#next + most);
  }
}

async function sumsOf(trx: RawDb, hour: number, keyIds: readonly string[]): Promise<Sum[]> {
  return rowsOf<Sum>(
    trx,
    `select key_id, min(tenant_id) as tenant_id, ? as day, sum(ok + denied) as requests
      from json_each(?) as asked cross join ${HOURS} on key_id = asked.value and hour = ? group by key_id`,
    [dayOf(hour), JSON.stringify(keyIds), hour],
  );
}

/** Notes that an hour is summed up down to this key, or as a whole. */
async function moveOn(trx: RawDb, hour: number, keyId: string | undefined): Promise<void> {
  await saveRollupProgress(
    trx,
    TABLE,
    keyId === undefined ? { until: hour + HOUR_MS, keyId: '' } : { until: hour, keyId },
  );
}

/** Adds to the days what this transaction has added to hours that were summed up before it came. */
export async function addLateRequests(trx: RawDb, hours: readonly Hour[], now: number): Promise<void> {
  const late = hours.filter(({ hour }) => hour + HOUR_MS < now - LATE_MS);
  if (late.length === 0) return;
  const { until, keyId } = (await lockRollupProgress(trx, TABLE)) ?? BEGINNING;
  const missed = late.filter(({ hour, key_id }) => hour < until || (hour === until && key_id <= keyId));
  const sums = new Map<string, Sum>();
  for (const { key_id, tenant_id, hour, ok, denied } of missed) {
    const day = dayOf(hour);
    const known = sums.get(`${key_id} ${day}`);
    sums.set(`${key_id} ${day}`, { key_id, tenant_id, day, requests: (known?.requests ?? 0) + ok + denied });
  }
  await addRequests(trx, [...sums.values()]);
}

/**
 * Adds to the days of keys, each of which may come once. Rows are in the order of the primary key within a statement;
 * between two it is the row of `catch_ups`, which whoever adds holds, that keeps processes from waiting crosswise.
 */
async function addRequests(trx: RawDb, sums: readonly Sum[]): Promise<void> {
  const rows = sums
    .map(({ day, ...sum }) => ({ ...sum, month: monthStart(day), dayOfMonth: new Date(day).getUTCDate() }))
    .sort((a, b) => compareIds(a.key_id, b.key_id) || a.month - b.month);
  for (const [index, day] of DAYS.entries()) {
    const ofDay = rows.filter(({ dayOfMonth }) => dayOfMonth === index + 1);
    if (ofDay.length > 0) await addToDay(trx, day, ofDay);
  }
}

async function addToDay(trx: RawDb, day: string, rows: readonly (Row & { requests: number })[]): Promise<void> {
  const { from, value } = jsonRows(trx, COLUMNS, rows);
  const insert = `insert into ${TABLE} (key_id, month, tenant_id, ${day}) select key_id, month, tenant_id, requests from ${from}`;
  const sum = (added: string) => `${day} = ${TABLE}.${day} + ${added}`;
  const upsert = isSqlite(trx)
    ? `${insert} where true on conflict (key_id, month) do update set ${sum(`excluded.${day}`)}`
    : `${insert} on duplicate key update ${sum('j.requests')}`;
  await trx.raw(upsert, [value]);
}

function dayOf(hour: number): number {
  return hour - (hour % DAY_MS);
}
