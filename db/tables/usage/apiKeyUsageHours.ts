import type { Span } from '../../../app/domain/times.ts';
import { isSqlite, type Db } from '../../connection/connect.ts';
import { compareIds } from '../../sql/compareIds.ts';
import { jsonRows, ROWS_AT_ONCE } from '../../sql/jsonRows.ts';
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
  /** The sum over both. */
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
  response_ms: number;
};

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
  response_ms: 'double',
} as const satisfies Record<keyof Row, string>;
const COUNTED = ['ok', 'denied', 'response_ms'] as const;
type Counted = (typeof COUNTED)[number];
type Called<By extends keyof Row> = Pick<Row, By> & { requests: number };

/** Adds to the counts already there; each hour of a key and route may come once. */
export async function addKeyUsageHours(trx: Db, hours: readonly KeyUsageHour[]): Promise<void> {
  const insert = `insert into ${TABLE} (${Object.keys(COLUMNS).join(', ')}) select ${Object.keys(COLUMNS).join(', ')}`;
  const sums = (added: string) =>
    COUNTED.map((column) => `${column} = ${TABLE}.${column} + ${added}.${column}`).join(', ');
  // In the order of the primary key, so that two processes never wait for each other crosswise.
  const rows = hours.map(rowOf).sort(byPlace);
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const { from, value } = jsonRows(trx, COLUMNS, rows.slice(at, at + ROWS_AT_ONCE));
    const upsert = isSqlite(trx)
      ? `${insert} from ${from} where true on conflict (key_id, hour, method, endpoint, scope) do update set ${sums('excluded')}`
      : `${insert} from ${from} on duplicate key update ${sums('j')}`;
    await trx.raw(upsert, [value]);
  }
  await addLateRequests(trx, rows, Date.now());
}

/** What a key did hour by hour; hours without a request are left out. */
export async function sumByHour(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
): Promise<Pick<KeyUsageHour, 'hour' | 'ok' | 'denied' | 'responseMs'>[]> {
  const rows = await within(db, tenantId, keyId, span)
    .select<Pick<Row, 'hour' | Counted>[]>('hour', ...sums(db))
    .groupBy('hour')
    .orderBy('hour');
  return rows.map((row) => ({
    hour: row.hour,
    ok: row.ok,
    denied: row.denied,
    responseMs: row.response_ms,
  }));
}

/** The routes a key called most, at most `limit`. */
export async function busiestEndpoints(
  db: Db,
  tenantId: string,
  keyId: string,
  span: Span,
  limit: number,
): Promise<{ method: string; endpoint: string; requests: number }[]> {
  const rows = await within(db, tenantId, keyId, span)
    .select<Called<'method' | 'endpoint'>[]>('method', 'endpoint', requests(db))
    .groupBy('method', 'endpoint')
    .orderBy([{ column: 'requests', order: 'desc' }, 'endpoint', 'method'])
    .limit(limit);
  return rows.map((row) => ({ method: row.method, endpoint: row.endpoint, requests: row.requests }));
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

/** What all keys of a tenant did hour by hour; hours without a request are left out. */
export async function sumTenantByHour(
  db: Db,
  tenantId: string,
  span: Span,
): Promise<Pick<KeyUsageHour, 'hour' | 'ok' | 'denied' | 'responseMs'>[]> {
  const rows = await ofTenant(db, tenantId, span)
    .select<Pick<Row, 'hour' | Counted>[]>('hour', ...sums(db))
    .groupBy('hour')
    .orderBy('hour');
  return rows.map((row) => ({ hour: row.hour, ok: row.ok, denied: row.denied, responseMs: row.response_ms }));
}

/** The routes that a tenant's keys called most, at most `limit`. */
export async function busiestEndpointsOfTenant(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<Pick<KeyUsageHour, 'method' | 'endpoint' | 'ok' | 'denied'>[]> {
  const rows = await ofTenant(db, tenantId, span)
    .select<Called<'method' | 'endpoint' | 'ok' | 'denied'>[]>('method', 'endpoint', requests(db), ...sums(db))
    .groupBy('method', 'endpoint')
    .orderBy([{ column: 'requests', order: 'desc' }, 'endpoint', 'method'])
    .limit(limit);
  return rows.map(({ method, endpoint, ok, denied }) => ({ method, endpoint, ok, denied }));
}

/** The keys of a tenant that were used most, at most `limit`. */
export async function busiestKeys(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<Pick<KeyUsageHour, 'keyId' | 'ok' | 'denied'>[]> {
  const rows = await ofTenant(db, tenantId, span)
    .select<Called<'key_id' | 'ok' | 'denied'>[]>('key_id', requests(db), ...sums(db))
    .groupBy('key_id')
    .orderBy([{ column: 'requests', order: 'desc' }, 'key_id'])
    .limit(limit);
  return rows.map((row) => ({ keyId: row.key_id, ok: row.ok, denied: row.denied }));
}

/** Which keys were denied what most often, at most `limit`. */
export async function mostDenied(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<Pick<KeyUsageHour, 'keyId' | 'method' | 'endpoint' | 'scope' | 'denied'>[]> {
  const rows = await ofTenant(db, tenantId, span)
    .where('denied', '>', 0)
    .groupBy('key_id', 'method', 'endpoint', 'scope')
    .orderBy([{ column: 'requests', order: 'desc' }, 'endpoint', 'method', 'key_id'])
    .limit(limit)
    .select<Called<'key_id' | 'method' | 'endpoint' | 'scope'>[]>(
      ...['key_id', 'method', 'endpoint', 'scope'],
      db.raw<number>('sum(denied) as requests'),
    );
  return rows.map((row) => ({
    keyId: row.key_id,
    method: row.method,
    endpoint: row.endpoint,
    scope: row.scope,
    denied: row.requests,
  }));
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

/** How many requests all keys of a tenant made. */
export async function countOfTenant(db: Db, tenantId: string, span: Span): Promise<number> {
  const row = await ofTenant(db, tenantId, span).first<{ requests: number | null }>(requests(db));
  return row.requests ?? 0;
}

function ofTenant(db: Db, tenantId: string, { from, to }: Span) {
  return table(db).where({ tenant_id: tenantId }).where('hour', '>=', from).where('hour', '<', to);
}

function within(db: Db, tenantId: string, keyId: string, { from, to }: Span) {
  return table(db).where({ key_id: keyId, tenant_id: tenantId }).where('hour', '>=', from).where('hour', '<', to);
}

/** MySQL sums whole numbers into decimals, which the driver is told to read as numbers. */
function sums(db: Db) {
  return COUNTED.map((column) => db.raw<number>(`sum(${column}) as ${column}`));
}

function requests(db: Db) {
  return db.raw<number>('sum(ok + denied) as requests');
}

function table(db: Db) {
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
    response_ms: hour.responseMs,
  };
}
