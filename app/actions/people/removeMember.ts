import { transaction, type Db } from '../../../db/connection/connect.ts';
import { listKeyIdsOfUser } from '../../../db/tables/keys/apiKeys.ts';
import {
  deleteMembership,
  lockMembership,
  lockOwners,
  type Membership,
} from '../../../db/tables/people/memberships.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseMembershipBeyondOwn } from './addMember.ts';
import { refuseLastOwner, versionOfMembership } from './changeMember.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { revokeKeyChain } from '../keys/revokeKey.ts';

/**
 * Removes a member from the tenant from their next request on, and revokes their own keys there, which would work again
 * if the person came back. The last owner cannot be removed: 409.
 */
export async function removeMember(act: ActionContext, userId: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const owners = await lockOwners(trx, act.tenantId);
    const membership = await lockMembership(trx, act.tenantId, userId);
    if (!membership) throw new AppError('not_found', 'no_such_member');
    refuseMembershipBeyondOwn(act, membership);
    refuseLastOwner(owners, userId);
    refuseChanged(act.expectedVersions, versionOfMembership(membership));
    await endMembership(trx, act, membership, 'MEMBER_REMOVED', 'The person it belongs to was removed');
  });
}

/** Ends a locked membership, and revokes the person's own keys in the tenant for this reason. */
export async function endMembership(
  trx: Db,
  act: ActionContext,
  { userId, role, permissions }: Membership,
  action: 'MEMBER_REMOVED' | 'MEMBER_LEFT',
  reason: string,
): Promise<void> {
  const own = await listKeyIdsOfUser(trx, act.tenantId, userId, act.now);
  for (const id of own) await revokeKeyChain(trx, act, id, { reason });
  await deleteMembership(trx, act.tenantId, userId);
  await recordAuditEvent(trx, act, {
    action,
    entityId: userId,
    ...changedFields({ role, permissions: [...permissions] }, null),
  });
}
