import { transaction } from '../../../db/connection/connect.ts';
import { deleteExpiredSessions, deleteSessionByHash, insertSession } from '../../../db/tables/people/sessions.ts';
import { hashToken, LIFETIME_MS, newToken } from '../../domain/session.ts';
import { newId } from '../../domain/id.ts';
import type { ActionContext } from '../actionContext.ts';

/** The person who signed in, the tenant they start in, and the session token that their browser sent. */
interface NewSession {
  userId: string;
  tenantId: string | null;
  formerToken: string | undefined;
}

/**
 * Opens a session for a person who has just signed in and returns its token, once. The session that the browser had
 * before ends, so that an attacker cannot plant a session that later becomes the victim's.
 */
export async function openSession(
  { db, now, origin }: Pick<ActionContext, 'db' | 'now' | 'origin'>,
  { userId, tenantId, formerToken }: NewSession,
): Promise<string> {
  const token = newToken();
  const session = {
    id: newId(),
    userId,
    tenantId,
    csrfToken: newToken(),
    ip: origin.ip,
    userAgent: origin.userAgent,
    createdAt: now,
    lastSeenAt: now,
    expiresAt: now + LIFETIME_MS,
  };
  await transaction(db, async (trx) => {
    if (formerToken !== undefined) await deleteSessionByHash(trx, hashToken(formerToken));
    await deleteExpiredSessions(trx, now);
    await insertSession(trx, session, hashToken(token));
  });
  return token;
}
