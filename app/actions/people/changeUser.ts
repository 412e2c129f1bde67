import { transaction, type Db } from '../../../db/connection/connect.ts';
import { findMembership, lockOwners } from '../../../db/tables/people/memberships.ts';
import { deleteOtherSessions } from '../../../db/tables/people/sessions.ts';
import {
  changeUserStatus,
  lockOperators,
  lockUser,
  renameUser,
  type User,
  type UserStatus,
} from '../../../db/tables/people/users.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseLastOwner } from './changeMember.ts';
import { recordAuditEvent } from '../auditRecord.ts';

export interface UserChange {
  name?: string | undefined;
  status?: UserStatus | undefined;
}

/**
 * Changes the account of a member of the tenant. An account belongs to no tenant, so only operators may change it, and
 * people their own name. Disabling the last owner or the last operator is 409.
 */
export async function changeUser(act: ActionContext, userId: string, { name, status }: UserChange): Promise<void> {
  await transaction(act.db, async (trx) => {
    const owners = await lockOwners(trx, act.tenantId);
    const membership = await findMembership(trx, act.tenantId, userId);
    const user = membership && (await lockUser(trx, userId));
    if (!user) throw new AppError('not_found', 'no_such_user');
    requireOperatorOrSelf(act, userId, status);
    refuseChanged(act.expectedVersions, versionOfAccount(user));
    if (name !== undefined && name !== user.name) await rename(trx, act, user, name);
    if (status === undefined || status === user.status) return;
    if (status === 'disabled') {
      refuseLastOwner(owners, userId);
      await refuseLastOperator(trx, user);
    }
    await setStatus(trx, act, user, status);
  });
}

/** The version of an account: another one after each change that this action makes. */
export function versionOfAccount({ name, status }: Pick<User, 'name' | 'status'>): string {
  return versionOf({ name, status });
}

function requireOperatorOrSelf({ principal }: ActionContext, userId: string, status: UserStatus | undefined): void {
  if (!principal || (principal.type === 'user' && principal.operator)) return;
  if (status !== undefined) {
    throw new AppError('insufficient_permission', 'operators_disable_people');
  }
  if (principal.type === 'user' && principal.id === userId) return;
  throw new AppError('insufficient_permission', 'account_of_its_person');
}

async function refuseLastOperator(trx: Db, { id }: User): Promise<void> {
  const operators = await lockOperators(trx);
  if (operators.length !== 1 || operators[0] !== id) return;
  throw new AppError('conflict', 'last_operator');
}

async function rename(trx: Db, act: ActionContext, user: User, name: string): Promise<void> {
  await renameUser(trx, user.id, name, act.now);
  const changes = changedFields({ name: user.name }, { name });
  await recordAuditEvent(trx, act, { action: 'USER_CHANGED', entityId: user.id, ...changes });
}

async function setStatus(trx: Db, act: ActionContext, user: User, status: UserStatus): Promise<void> {
  await changeUserStatus(trx, user.id, status, act.now);
  if (status === 'disabled') await deleteOtherSessions(trx, user.id, null);
  const action = status === 'disabled' ? 'USER_DISABLED' : 'USER_ENABLED';
  await recordAuditEvent(trx, act, {
    action,
    entityId: user.id,
    ...changedFields({ status: user.status }, { status }),
  });
}
