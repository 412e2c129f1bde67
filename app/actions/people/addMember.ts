import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { findMembership, insertMembership } from '../../../db/tables/people/memberships.ts';
import { findUser } from '../../../db/tables/people/users.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { mayGrantMembership } from '../../domain/granting.ts';
import type { Permission, Role } from '../../domain/role.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseMoreThanPlainMember } from '../keyCallers.ts';
import { recordAuditEvent } from '../auditRecord.ts';

export interface MemberInput {
  role: Role;
  /** Permissions beyond those of the role. */
  permissions?: readonly Permission[] | undefined;
}

/** Adds an existing person to the tenant; a person who is a member already is 409. */
export async function addMember(act: ActionContext, userId: string, input: MemberInput): Promise<void> {
  refuseMembershipBeyondOwn(act, input);
  try {
    await transaction(act.db, async (trx) => {
      const user = await findUser(trx, userId);
      if (!user) throw new AppError('not_found', 'no_such_person');
      if (await findMembership(trx, act.tenantId, userId)) throw alreadyMember();
      await insertMember(trx, act, user, input);
    });
  } catch (error) {
    throw isDuplicate(error) ? alreadyMember(error) : error;
  }
}

/** Adds a person, whom the caller has found and checked, in a transaction of the caller. */
export async function insertMember(
  trx: Db,
  act: ActionContext,
  user: { id: string; email: string },
  { role, permissions = [] }: MemberInput,
): Promise<void> {
  await insertMembership(trx, { tenantId: act.tenantId, userId: user.id, role, permissions }, act.now);
  await recordAuditEvent(trx, act, {
    action: 'MEMBER_ADDED',
    entityId: user.id,
    ...changedFields(null, { email: user.email, role, permissions: [...permissions] }),
  });
}

/** Refuses to grant a role or permissions that the granter lacks; the system and operators may grant all of them. */
export function refuseMembershipBeyondOwn({ principal }: ActionContext, { role, permissions = [] }: MemberInput): void {
  if (!principal || (principal.type === 'user' && principal.operator)) return;
  if (principal.type === 'api_key') {
    refuseMoreThanPlainMember(role, permissions);
    return;
  }
  if (mayGrantMembership(principal, role, permissions)) return;
  throw new AppError('insufficient_permission', 'more_than_own_rights');
}

/** The 409 for a person who is a member of the tenant already. */
export function alreadyMember(cause?: unknown): AppError {
  return new AppError('conflict', 'member_already', { cause });
}
