import type { Db } from '../../db/connection/connect.ts';
import type { RawDb } from '../../db/connection/rawDb.ts';
import { insertAuditLog, insertAuditLogsOncePerWindow, type AuditLog } from '../../db/tables/auditLogs.ts';
import { AUDITED, type AuditEvent } from '../domain/auditEvent.ts';
import { newId } from '../domain/id.ts';
import type { ActionContext } from './actionContext.ts';

/** The part of an action's context that the audit log keeps; `tenantId` is null for events above tenants. */
export type AuditContext = Pick<ActionContext, 'actor' | 'origin' | 'now'> & { tenantId: string | null };

/** Inserts the event into the audit log, in the transaction of the change, so that neither exists without the other. */
export async function recordAuditEvent(trx: Db, act: AuditContext, event: AuditEvent): Promise<void> {
  await insertAuditLog(trx, auditLogOf(act, event));
}

/** Inserts only the first event of each window, such as the uses of a key from one address in one hour. */
export async function recordAuditEventsOncePerWindow(
  trx: RawDb,
  events: readonly { act: AuditContext; event: AuditEvent; window: string }[],
): Promise<void> {
  await insertAuditLogsOncePerWindow(
    trx,
    events.map(({ act, event, window }) => ({ log: auditLogOf(act, event), window })),
  );
}

/** The event as a row of the audit log. */
export function auditLogOf(act: AuditContext, { action, entityId, before, after }: AuditEvent): AuditLog {
  return {
    id: newId(),
    tenantId: act.tenantId,
    action,
    entity: AUDITED[action],
    entityId,
    actor: act.actor,
    origin: act.origin,
    before: before ?? null,
    after: after ?? null,
    createdAt: act.now,
  };
}
