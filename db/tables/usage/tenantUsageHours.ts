import type { Span } from '../../../app/domain/times.ts';
import type { Db } from '../../connection/connect.ts';
import { byHour, hours, outcomes, requests, type HourSum, type Outcomes } from './apiKeyUsageHours.ts';

/** What all keys of a tenant did hour by hour; hours without a request are left out. */
export async function sumTenantByHour(db: Db, tenantId: string, span: Span): Promise<HourSum[]> {
  return byHour(db, ofTenant(db, tenantId, span));
}

/** The routes that a tenant's keys called most, at most `limit`. */
export async function busiestEndpointsOfTenant(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<({ method: string; endpoint: string } & Outcomes)[]> {
  const rows = await ofTenant(db, tenantId, span)
    .select<({ method: string; endpoint: string } & Outcomes)[]>(
      ...['method', 'endpoint'],
      requests(db),
      ...outcomes(db),
    )
    .groupBy('method', 'endpoint')
    .orderBy([{ column: 'requests', order: 'desc' }, 'endpoint', 'method'])
    .limit(limit);
  return rows.map(({ method, endpoint, ok, denied, errors }) => ({ method, endpoint, ok, denied, errors }));
}

/** The keys of a tenant that were used most, at most `limit`. */
export async function busiestKeys(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<({ keyId: string } & Outcomes)[]> {
  const rows = await ofTenant(db, tenantId, span)
    .select<({ keyId: string } & Outcomes)[]>('key_id as keyId', requests(db), ...outcomes(db))
    .groupBy('key_id')
    .orderBy([{ column: 'requests', order: 'desc' }, 'key_id'])
    .limit(limit);
  return rows.map(({ keyId, ok, denied, errors }) => ({ keyId, ok, denied, errors }));
}

/** Requests of one key in a span of time. */
export interface KeySpan extends Span {
  keyId: string;
  requests: number;
}

/** How many requests these keys made in each part of a span, whose parts are `length` long. */
export async function sumKeysByPart(
  db: Db,
  tenantId: string,
  keyIds: readonly string[],
  span: Span,
  length: number,
): Promise<KeySpan[]> {
  const rows = await ofTenant(db, tenantId, span)
    .whereIn('key_id', [...keyIds])
    .select<{ keyId: string; part: number; requests: number }[]>(
      'key_id as keyId',
      db.raw('hour - (hour % ?) as part', [length]),
      requests(db),
    )
    .groupBy('keyId', 'part')
    .orderBy(['part', 'keyId']);
  return rows.map(({ keyId, part, requests: count }) => ({ keyId, from: part, to: part + length, requests: count }));
}

/** Which keys were denied what most often, at most `limit`. */
export async function mostDenied(
  db: Db,
  tenantId: string,
  span: Span,
  limit: number,
): Promise<{ keyId: string; method: string; endpoint: string; scope: string; denied: number }[]> {
  return ofTenant(db, tenantId, span)
    .where('denied', '>', 0)
    .groupBy('key_id', 'method', 'endpoint', 'scope')
    .orderBy([{ column: 'denied', order: 'desc' }, 'endpoint', 'method', 'keyId'])
    .limit(limit)
    .select<{ keyId: string; method: string; endpoint: string; scope: string; denied: number }[]>(
      ...['key_id as keyId', 'method', 'endpoint', 'scope'],
      db.raw<number>('sum(denied) as denied'),
    );
}

/** What one key did on one route in a span. */
export interface KeyRouteSum extends Outcomes {
  keyId: string;
  method: string;
  endpoint: string;
  scope: string;
  responseMs: number;
}

/** What the keys of a tenant did on each route, in the order of keys and routes, from behind a row on. */
export async function sumByKeyAndRoute(
  db: Db,
  tenantId: string,
  span: Span,
  { after, limit }: { after: KeyRouteSum | undefined; limit: number },
): Promise<KeyRouteSum[]> {
  const rows = ofTenant(db, tenantId, span);
  if (after) {
    const { keyId, method, endpoint, scope } = after;
    void rows.whereRaw('(key_id, method, endpoint, scope) > (?, ?, ?, ?)', [keyId, method, endpoint, scope]);
  }
  void rows.groupBy('key_id', 'method', 'endpoint', 'scope').orderBy(['key_id', 'method', 'endpoint', 'scope']);
  return rows
    .limit(limit)
    .select<KeyRouteSum[]>(
      ...['key_id as keyId', 'method', 'endpoint', 'scope'],
      ...outcomes(db),
      db.raw<number>('sum(response_ms) as ??', ['responseMs']),
    );
}

/** How many requests all keys of a tenant made. */
export async function countOfTenant(db: Db, tenantId: string, span: Span): Promise<number> {
  const row = await ofTenant(db, tenantId, span).first<{ requests: number | null }>(requests(db));
  return row.requests ?? 0;
}

function ofTenant(db: Db, tenantId: string, { from, to }: Span) {
  return hours(db).where({ tenant_id: tenantId }).where('hour', '>=', from).where('hour', '<', to);
}
