import { transaction } from '../../db/connect.ts';
import { changeUserStatus, findUser, lockOperators, type UserStatus } from '../../db/tables/users.ts';
import { changedFields } from '../domain/auditEvent.ts';
import { AppError } from '../errors.ts';
import type { Act } from './act.ts';
import { record } from './record.ts';

/**
 * Disables a person, in all their tenants and with all their own keys from the next request on, or lets them in again.
 * It reaches beyond one tenant, so only operators and the system may; the last operator stays: 409.
 */
export async function setUserStatus(act: Act, userId: string, status: UserStatus): Promise<void> {
  const { principal } = act;
  if (principal && !(principal.type === 'user' && principal.operator)) {
    throw new AppError('insufficient_permission', 'Only operators may disable and enable people.');
  }
  await transaction(act.db, async (trx) => {
    const operators = await lockOperators(trx);
    const user = await findUser(trx, userId);
    if (!user) throw new AppError('not_found', 'There is no such person.');
    if (user.status === status) return;
    if (status === 'disabled' && operators.length === 1 && operators[0] === userId) {
      throw new AppError('conflict', 'The last operator cannot be disabled.');
    }
    await changeUserStatus(trx, userId, status, act.now);
    await record(trx, act, {
      action: status === 'disabled' ? 'USER_DISABLED' : 'USER_ENABLED',
      entityId: userId,
      ...changedFields({ status: user.status }, { status }),
    });
  });
}
