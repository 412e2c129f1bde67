import { transaction, type Db } from '../../../db/connection/connect.ts';
import { belongingsOf } from '../../../db/tables/people/memberships.ts';
import {
  deletePasswordReset,
  findPasswordReset,
  replacePasswordReset,
} from '../../../db/tables/people/passwordResets.ts';
import { deleteOtherSessions } from '../../../db/tables/people/sessions.ts';
import { findUser, lockUser, resetPasswordHash, type User } from '../../../db/tables/people/users.ts';
import { passwordProblem, passwordFault } from '../../domain/password.ts';
import { hashToken, newToken } from '../../domain/session.ts';
import { AppError } from '../../errors.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { passwordRefused } from './changePassword.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** How long a link to choose a new password works. */
export const RESET_LIFETIME_MS = 24 * 3_600_000;

/** Creates a link on which the person chooses a new password, replaces an earlier link, and returns its token, once. */
export async function makeResetLink(
  act: Omit<ActionContext, 'tenantId'>,
  userId: string,
): Promise<{ token: string; expiresAt: number }> {
  const token = newToken();
  const expiresAt = act.now + RESET_LIFETIME_MS;
  await transaction(act.db, async (trx) => {
    const user = await lockUser(trx, userId);
    if (!user) throw new AppError('not_found', 'no_such_user');
    if (user.status !== 'active') throw new AppError('conflict', 'account_disabled');
    await replacePasswordReset(trx, { userId, createdAt: act.now, expiresAt }, hashToken(token));
    await recordAuditEvent(
      trx,
      { ...act, tenantId: await firstTenantOf(trx, userId) },
      { action: 'PASSWORD_RESET_OFFERED', entityId: userId },
    );
  });
  return { token, expiresAt };
}

/** The link on which the person chooses a new password; anyone who has it can. */
export function resetLink(origin: string, token: string): string {
  return `${origin}/reset?token=${token}`;
}

/** Finds the person of a reset link that still works. */
export async function openReset(
  { db, now }: Pick<ActionContext, 'db' | 'now'>,
  token: string,
): Promise<User | undefined> {
  const reset = await findPasswordReset(db, hashToken(token));
  if (!reset || now >= reset.expiresAt) return undefined;
  const user = await findUser(db, reset.userId);
  return user?.status === 'active' ? user : undefined;
}

/**
 * Uses up the link and changes the person's password: all their sessions end, tokens issued before are refused, and the
 * account is confined to no tenant any more. Gives undefined for a link that does not work; 422 says what is wrong with
 * the password.
 */
export async function resetPassword(
  { db, now, origin }: Pick<ActionContext, 'db' | 'now' | 'origin'>,
  token: string,
  wanted: string,
): Promise<User | undefined> {
  const user = await openReset({ db, now }, token);
  if (!user) return undefined;
  const { id, name } = user;
  const problem = passwordProblem(wanted, user.email);
  if (problem) throw passwordRefused('wanted', passwordFault(problem));
  const passwordHash = await hashPassword(wanted, origin);
  return transaction(db, async (trx) => {
    if (!(await deletePasswordReset(trx, hashToken(token)))) return undefined;
    await resetPasswordHash(trx, id, passwordHash, now);
    await deleteOtherSessions(trx, id, null);
    const occasion = { now, origin, actor: { type: 'user', id, name } as const };
    await recordAuditEvent(
      trx,
      { ...occasion, tenantId: await firstTenantOf(trx, id) },
      { action: 'PASSWORD_RESET', entityId: id },
    );
    return user;
  });
}

async function firstTenantOf(db: Db, userId: string): Promise<string | null> {
  return (await belongingsOf(db, userId))[0]?.tenantId ?? null;
}
