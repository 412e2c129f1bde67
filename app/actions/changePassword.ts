import { transaction } from '../../db/connect.ts';
import { deleteOtherSessions } from '../../db/tables/sessions.ts';
import { changePasswordHash, findUser } from '../../db/tables/users.ts';
import { passwordProblem, passwordSentence } from '../domain/password.ts';
import { AppError } from '../errors.ts';
import { checkPassword, hashPassword } from '../people/passwords.ts';
import type { Act } from './act.ts';
import { record } from './record.ts';

/** What somebody wrote to change their password. */
export interface PasswordChange {
  current: string;
  wanted: string;
}

/** Changes the person's own password and ends all their sessions but the one they act in; 422 names what is wrong. */
export async function changePassword(
  act: Act,
  { userId, sessionId }: { userId: string; sessionId: string | null },
  { current, wanted }: PasswordChange,
): Promise<void> {
  const user = await findUser(act.db, userId);
  const right = await checkPassword(user?.passwordHash ?? null, current);
  if (!user || !right) throw wrongField('current', 'This is not your password');
  const problem = passwordProblem(wanted, user.email);
  if (problem) throw wrongField('wanted', passwordSentence(problem));
  const passwordHash = await hashPassword(wanted);
  await transaction(act.db, async (trx) => {
    await changePasswordHash(trx, userId, passwordHash, act.now);
    await deleteOtherSessions(trx, userId, sessionId);
    await record(trx, act, { action: 'PASSWORD_CHANGED', entityId: userId });
  });
}

function wrongField(path: string, message: string): AppError {
  return new AppError('invalid_input', 'The password was not changed.', { errors: [{ path, message }] });
}
