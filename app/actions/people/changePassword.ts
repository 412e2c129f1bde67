import { transaction } from '../../../db/connection/connect.ts';
import { deleteOtherSessions } from '../../../db/tables/people/sessions.ts';
import { changePasswordHash, findUser } from '../../../db/tables/people/users.ts';
import { passwordProblem, passwordFault } from '../../domain/password.ts';
import type { Problem } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';
import { checkPassword, hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** What somebody wrote to change their password. */
export interface PasswordChange {
  current: string;
  wanted: string;
  /** The browser that has signed in to the account before. */
  device?: string | undefined;
}

/**
 * Changes the person's own password: all their sessions end but the one they act in, and tokens made before are refused.
 * Undefined where the current password is not it, so that guesses can be counted; 422 names what is wrong with the new one.
 */
export async function changePassword(
  act: ActionContext,
  { userId, sessionId }: { userId: string; sessionId: string | null },
  { current, wanted, device }: PasswordChange,
): Promise<'changed' | undefined> {
  const user = await findUser(act.db, userId);
  const right = await checkPassword(user?.passwordHash ?? null, current, { ip: act.origin.ip, device });
  if (!user || !right) return undefined;
  const problem = passwordProblem(wanted, user.email);
  if (problem) throw passwordRefused('wanted', passwordFault(problem));
  const passwordHash = await hashPassword(wanted, { ip: act.origin.ip, device });
  await transaction(act.db, async (trx) => {
    await changePasswordHash(trx, userId, passwordHash, act.now);
    await deleteOtherSessions(trx, userId, sessionId);
    await recordAuditEvent(trx, act, { action: 'PASSWORD_CHANGED', entityId: userId });
  });
  return 'changed';
}

/** The refusal that names the field which is wrong. */
export function passwordRefused(path: string, problem: Problem): AppError {
  return new AppError('invalid_input', 'password_not_changed', { errors: [{ path, problem }] });
}
