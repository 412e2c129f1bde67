import { transaction } from '../../../db/connection/connect.ts';
import { deleteOtherSessions } from '../../../db/tables/people/sessions.ts';
import { changePasswordHash, findUser } from '../../../db/tables/people/users.ts';
import { passwordProblem, passwordFault } from '../../domain/password.ts';
import type { Problem } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';
import { checkPassword, hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** The fields of the form that changes a password. */
export interface PasswordChange {
  current: string;
  wanted: string;
  /** The known browser that the request comes from, if the account has signed in there before. */
  device?: string | undefined;
}

/**
 * Changes the person's own password, ends all their other sessions and refuses tokens issued before. Gives undefined
 * for a wrong current password, so that guesses are counted; 422 says what is wrong with the new one.
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

/** The 422 of a password that is not allowed. */
export function passwordRefused(path: string, problem: Problem): AppError {
  return new AppError('invalid_input', 'password_not_changed', { errors: [{ path, problem }] });
}
