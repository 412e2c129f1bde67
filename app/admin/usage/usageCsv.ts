import type { Db } from '../../../db/connection/connect.ts';
import { findApiKeys } from '../../../db/tables/keys/apiKeys.ts';
import { sumByKeyAndRoute, type KeyRouteSum } from '../../../db/tables/usage/tenantUsageHours.ts';
import { csvLine } from '../../domain/csv.ts';
import { iso, type Span } from '../../domain/times.ts';

const HEAD = [
  ...['from', 'to', 'keyId', 'keyName', 'method', 'route', 'scope'],
  ...['requests', 'accepted', 'denied', 'errors', 'averageMs'],
];
/** Spreadsheets read UTF-8 without this mark as the alphabet of their country. */
const BYTE_ORDER_MARK = '\uFEFF';
const READ_AT_ONCE = 500;

/** The use of a tenant's keys as lines of CSV, one for each bar, key and route; read in parts, so that no table is too long. */
export async function* usageCsv(db: Db, tenantId: string, spans: readonly Span[]): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(HEAD);
  for (const span of spans) {
    let after: KeyRouteSum | undefined;
    do {
      const sums = await sumByKeyAndRoute(db, tenantId, span, { after, limit: READ_AT_ONCE });
      if (sums.length > 0) yield await linesOf(db, tenantId, span, sums);
      after = sums.length < READ_AT_ONCE ? undefined : sums.at(-1);
    } while (after);
  }
}

async function linesOf(db: Db, tenantId: string, { from, to }: Span, sums: readonly KeyRouteSum[]): Promise<string> {
  const keys = await findApiKeys(db, tenantId, [...new Set(sums.map(({ keyId }) => keyId))]);
  const names = new Map(keys.map(({ id, name }) => [id, name]));
  const lines = sums.map(({ keyId, method, endpoint, scope, ok, denied, errors, responseMs }) =>
    csvLine([
      ...[iso(from), iso(to), keyId, names.get(keyId) ?? null, method, endpoint, scope || null],
      ...[ok + denied, ok - errors, denied, errors].map(String),
      (responseMs / (ok + denied)).toFixed(1),
    ]),
  );
  return lines.join('');
}
