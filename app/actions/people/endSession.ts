import { transaction } from '../../../db/connection/connect.ts';
import { deleteSession } from '../../../db/tables/people/sessions.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent, type AuditContext } from '../auditRecord.ts';

/** Ends the session that the person uses now, whether or not they are still a member of a tenant. */
export async function signOut(
  act: AuditContext & Pick<ActionContext, 'db'>,
  userId: string,
  sessionId: string,
): Promise<void> {
  await deleteAndRecord(act, 'LOGOUT', userId, sessionId);
}

/** Ends another session of the person, such as one on a lost phone; false if there is no session of this id. */
export async function endSession(act: ActionContext, userId: string, sessionId: string): Promise<boolean> {
  return deleteAndRecord(act, 'SESSION_ENDED', userId, sessionId);
}

async function deleteAndRecord(
  act: AuditContext & Pick<ActionContext, 'db'>,
  action: 'LOGOUT' | 'SESSION_ENDED',
  userId: string,
  sessionId: string,
): Promise<boolean> {
  return transaction(act.db, async (trx) => {
    const ended = await deleteSession(trx, userId, sessionId);
    if (ended) await recordAuditEvent(trx, act, { action, entityId: sessionId });
    return ended;
  });
}
