import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { csvLine } from '../../domain/csv.ts';
import type { Position } from '../../domain/cursor.ts';
import { iso } from '../../domain/times.ts';

const HEAD = [
  ...['time', 'action', 'entity', 'entityId', 'actorType', 'actorId', 'actorName'],
  ...['ipAddress', 'userAgent', 'requestId', 'before', 'after', 'id'],
];
/** Spreadsheets read UTF-8 without this mark as the alphabet of their country. */
const BYTE_ORDER_MARK = '\uFEFF';

/** The audit log as lines of CSV, read in parts so that no log is too long; `load` reads the rows after a position. */
export async function* auditCsv(
  load: (after: Position | undefined) => Promise<readonly AuditLog[]>,
): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(HEAD);
  let after: Position | undefined;
  for (;;) {
    const rows = await load(after);
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(lineOf).join('');
    after = { at: last.createdAt, id: last.id };
  }
}

function lineOf({ id, action, entity, entityId, actor, origin, before, after, createdAt }: AuditLog): string {
  return csvLine([
    iso(createdAt),
    ...[action, entity, entityId],
    ...[actor.type, actor.id, actor.name],
    ...[origin.ip, origin.userAgent, origin.requestId],
    before && JSON.stringify(before),
    after && JSON.stringify(after),
    id,
  ]);
}
