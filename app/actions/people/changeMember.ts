import { transaction } from '../../../db/connection/connect.ts';
import {
  changeMembership,
  findMembership,
  lockOwners,
  type Membership,
} from '../../../db/tables/people/memberships.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { Permission, Role } from '../../domain/role.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseMembershipBeyondOwn } from './addMember.ts';
import { requirePerson } from '../keyCallers.ts';
import { recordAuditEvent } from '../auditRecord.ts';

export interface MemberChange {
  role?: Role | undefined;
  permissions?: readonly Permission[] | undefined;
}

/** Changes the role and permissions of a member from their next request on; demoting the last owner is 409. */
export async function changeMember(act: ActionContext, userId: string, change: MemberChange): Promise<Membership> {
  requirePerson(act, 'keys_change_no_rights');
  return transaction(act.db, async (trx) => {
    const owners = await lockOwners(trx, act.tenantId);
    const before = await findMembership(trx, act.tenantId, userId);
    if (!before) throw new AppError('not_found', 'no_such_member');
    const after: Membership = {
      ...before,
      role: change.role ?? before.role,
      permissions: change.permissions ?? before.permissions,
    };
    refuseMembershipBeyondOwn(act, before);
    refuseMembershipBeyondOwn(act, after);
    refuseChanged(act.expectedVersions, versionOfMembership(before));
    if (after.role !== 'OWNER') refuseLastOwner(owners, userId);
    const changes = changedFields(auditedFields(before), auditedFields(after));
    if (!changes.before && !changes.after) return before;
    await changeMembership(trx, after, act.now);
    await recordAuditEvent(trx, act, { action: 'MEMBER_CHANGED', entityId: userId, ...changes });
    return after;
  });
}

/** The version of a membership: another one after each change of what the member may do. */
export function versionOfMembership({ role, permissions }: Pick<Membership, 'role' | 'permissions'>): string {
  return versionOf({ role, permissions });
}

/** Refuses to remove or demote the only owner who can sign in. */
export function refuseLastOwner(owners: readonly string[], userId: string): void {
  if (owners.length !== 1 || owners[0] !== userId) return;
  throw new AppError('conflict', 'last_owner');
}

function auditedFields({ role, permissions }: Membership) {
  return { role, permissions: [...permissions] };
}
