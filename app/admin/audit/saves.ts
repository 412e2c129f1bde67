import type { AuditLog } from '../../../db/tables/auditLogs.ts';

/** How many rows a page may go on with behind its end, so that it cuts no save in two. */
export const REST_OF_SAVE = 5;

/** The rows in their order, with those side by side that one request wrote of one thing: one save may write several. */
export function savesOf(logs: readonly AuditLog[]): [AuditLog, ...AuditLog[]][] {
  const saves: [AuditLog, ...AuditLog[]][] = [];
  for (const log of logs) {
    const last = saves.at(-1);
    if (last && isSameSave(last[0], log)) last.push(log);
    else saves.push([log]);
  }
  return saves;
}

/** How many of the rows make a page of at least `limit` that ends with a whole save. */
export function pageEnd(logs: readonly AuditLog[], limit: number): number {
  let end = limit;
  while (end < limit + REST_OF_SAVE) {
    const [last, next] = [logs[end - 1], logs[end]];
    if (!last || !next || !isSameSave(last, next)) break;
    end++;
  }
  return end;
}

function isSameSave(one: AuditLog, other: AuditLog): boolean {
  // The id of a request may be its sender's, who gives it to several.
  return (
    one.origin.requestId !== null &&
    one.origin.requestId === other.origin.requestId &&
    one.createdAt === other.createdAt &&
    one.actor.id === other.actor.id &&
    one.entity === other.entity &&
    one.entityId !== null &&
    one.entityId === other.entityId
  );
}
