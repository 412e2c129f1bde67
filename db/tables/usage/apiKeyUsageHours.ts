import type { Knex } from 'knex';
import type { RequestOutcome } from '../../../app/domain/requestOutcome.ts';
import type { OutcomeCounts } from '../../../app/domain/statsPeriod.ts';
import type { Span } from '../../../app/domain/times.ts';
import type { Db } from '../../connection/connect.ts';
import { isSqlite, type RawDb } from '../../connection/rawDb.ts';
import { compareIds } from '../../sql/compareIds.ts';
import { writeRows } from '../../sql/jsonRows.ts';
import { addLateRequests } from './apiKeyUsageMonths.ts';

/** What one key did on one route in one hour. */
export interface KeyUsageHour {
  keyId: string;
  tenantId: string;
  /** The hour's first moment. */
  hour: number;
  method: string;
  endpoint: string;
  /** What the route asks for; empty where it asks for none. */
  scope: string;
  ok: number;
  denied: number;
  /** Requests that were not denied and failed; 0 where it is left out. */
  clientErrors?: number;
  serverErrors?: number;
  /** The sum over all. */
  responseMs: number;
}

type Row = {
  key_id: string;
  tenant_id: string;
  hour: number;
  method: string;
  endpoint: string;
  scope: string;
  ok: number;
  denied: number;
  client_errors: number | null;
  server_errors: number | null;
  response_ms: number;
};

/** For how long each hour is kept. */
export const HOURS_KEPT_MS = 396 * 86_400_000;

const TABLE = 'api_key_usage_hours';
const COLUMNS = {
  key_id: 'varchar(255)',
  tenant_id: 'varchar(255)',
  hour: 'bigint',
  method: 'varchar(255)',
  endpoint: 'varchar(255)',
  scope: 'varchar(255)',
  ok: 'bigint',
  denied: 'bigint',
  client_errors: 'bigint',
  server_errors: 'bigint',
  response_ms: 'double',
} as const satisfies Record<keyof Row, string>;
const COUNTED = ['ok', 'denied', 'client_errors', 'server_errors', 'response_ms'] as const;
/** Null where all of it was counted before there were these columns. */
const ERRORS = 'coalesce(client_errors, 0) + coalesce(server_errors, 0)';
type Called<By extends keyof Row> = Pick<Row, By> & { requests: number };

/** Adds to the counts already there; each hour of a key and route may come once. */
export async function addKeyUsageHours(trx: RawDb, added: readonly KeyUsageHour[]): Promise<void> {
  const insert = `insert into ${TABLE} (${Object.keys(COLUMNS).join(', ')}) select ${Object.keys(COLUMNS).join(', ')}`;
  const sums = (added: string) =>
    COUNTED.map((column) => `${column} = ${TABLE}.${column} + ${added}.${column}`).join(', ');
  // In the order of the primary key, so that two processes never wait for each other crosswise.
  const rows = added.map(rowOf).sort(byPlace);
  await writeRows(trx, COLUMNS, rows, (from) =>
    isSqlite(trx)
      ? `${insert} from ${from} where true on conflict (key_id, hour, method, endpoint, scope) do update set ${sums('excluded')}`
      : `${insert} from ${from} on duplicate key update ${sums('j')}`,
  );
  await addLateRequests(trx, rows, Date.now());
}

/** How requests ended: `ok` are all that were not denied, `errors` those of them that failed for another reason. */
export interface Outcomes {
  ok: number;
  denied: number;
  errors: number;
}

/** What was counted in one hour. */
export interface HourSum extends OutcomeCounts {
  hour: number;
  responseMs: number;
}

/** What a key did hour by hour; hours without a request are left out. */
export async function sumByHour(db: Db, tenantId: string, keyId: string, span: Span): Promise<HourSum[]> {
  return byHour(db, within(db, tenantId, keyId, span));
}

/** Sums these rows of the table hour by hour. */
export async function byHour(db: Db, rows: Knex.QueryBuilder<Row>): Promise<HourSum[]> {
  const sums = [
    'sum(coalesce(client_errors, 0)) as clientErrors',
    'sum(coalesce(server_errors, 0)) as serverErrors',
    'max(case when client_errors is null or server_errors is null then 1 else 0 end) as missesErrors',
    'sum(response_ms) as responseMs',
  ];
  const counted = await rows
    .select<(Omit<HourSum, 'missesErrors'> & { missesErrors: number })[]>(
      'hour',
      ...outcomes(db),
      ...sums.map((sum) => db.raw(sum)),
    )
    .groupBy('hour')
    .orderBy('hour');
  return counted.map((hour) => ({ ...hour, missesErrors: hour.missesErrors > 0 }));
}

/** The routes a key called most, at most `limit`. */
export async function busiestEndpoints(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
  limit: number,
): Promise<({ method: string; endpoint: string; requests: number } & Outcomes)[]> {
  return within(db, tenantId, keyId, span)
    .select<({ method: string; endpoint: string; requests: number } & Outcomes)[]>(
      ...['method', 'endpoint'],
      requests(db),
      ...outcomes(db),
    )
    .groupBy('method', 'endpoint')
    .orderBy([{ column: 'requests', order: 'desc' }, 'endpoint', 'method'])
    .limit(limit);
}

/** Which of a key's requests are looked for: those of a route, and those that ended in one way. */
export interface HoursFilter {
  route?: { method: string; endpoint: string } | undefined;
  outcome?: RequestOutcome | undefined;
}

/** Errors of hours that were counted without them may be among the others. */
const WITH_OUTCOME: Record<RequestOutcome, string> = {
  ok: `ok > ${ERRORS}`,
  denied: 'denied > 0',
  error: `(${ERRORS} > 0 or (ok > 0 and (client_errors is null or server_errors is null)))`,
};

/** The newest hours in which a key made such requests, at most `limit`, and how many it made in each in all. */
export async function hoursWith(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
  { route, outcome, limit }: HoursFilter & { limit: number },
): Promise<{ hour: number; requests: number }[]> {
  const fits = [
    ...(route ? ['method = ? and endpoint = ?'] : []),
    ...(outcome === undefined ? [] : [WITH_OUTCOME[outcome]]),
  ];
  const having = `sum(case when ${['ok + denied > 0', ...fits].join(' and ')} then 1 else 0 end) > 0`;
  return within(db, tenantId, keyId, span)
    .select<{ hour: number; requests: number }[]>('hour', requests(db))
    .groupBy('hour')
    .havingRaw(having, route ? [route.method, route.endpoint] : [])
    .orderBy('hour', 'desc')
    .limit(limit);
}

/** What the routes a key called asked for, the most often first. */
export async function sumByScope(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
): Promise<{ scope: string; requests: number }[]> {
  const rows = await within(db, tenantId, keyId, span)
    .whereNot({ scope: '' })
    .select<Called<'scope'>[]>('scope', requests(db))
    .groupBy('scope')
    .orderBy([{ column: 'requests', order: 'desc' }, 'scope']);
  return rows.map((row) => ({ scope: row.scope, requests: row.requests }));
}

/** What the routes a key called asked for, how often, and in which hour last. */
export async function usesByScope(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
): Promise<{ scope: string; requests: number; lastHour: number }[]> {
  const rows = await within(db, tenantId, keyId, span)
    .whereNot({ scope: '' })
    .select<(Called<'scope'> & { last_hour: number })[]>('scope', requests(db), db.raw('max(hour) as last_hour'))
    .groupBy('scope');
  return rows.map((row) => ({ scope: row.scope, requests: row.requests, lastHour: row.last_hour }));
}

function within(db: Db, tenantId: string, keyId: string, { from, to }: Span) {
  return hours(db).where({ key_id: keyId, tenant_id: tenantId }).where('hour', '>=', from).where('hour', '<', to);
}

/** The sums of requests by how they ended; MySQL sums whole numbers into decimals, which the driver is told to read as numbers. */
export function outcomes(db: Db) {
  return ['sum(ok) as ok', 'sum(denied) as denied', `sum(${ERRORS}) as errors`].map((sum) => db.raw<number>(sum));
}

/** The sum of all requests, named `requests`. */
export function requests(db: Db) {
  return db.raw<number>('sum(ok + denied) as requests');
}

/** The table, for sums over a tenant. */
export function hours(db: Db): Knex.QueryBuilder<Row> {
  return db<Row>(TABLE);
}

function byPlace(a: Row, b: Row): number {
  return (
    compareIds(a.key_id, b.key_id) ||
    a.hour - b.hour ||
    compareIds(a.method, b.method) ||
    compareIds(a.endpoint, b.endpoint) ||
    compareIds(a.scope, b.scope)
  );
}

function rowOf(hour: KeyUsageHour): Row {
  return {
    key_id: hour.keyId,
    tenant_id: hour.tenantId,
    hour: hour.hour,
    method: hour.method,
    endpoint: hour.endpoint,
    scope: hour.scope,
    ok: hour.ok,
    denied: hour.denied,
    client_errors: hour.clientErrors ?? 0,
    server_errors: hour.serverErrors ?? 0,
    response_ms: hour.responseMs,
  };
}
