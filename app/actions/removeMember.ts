import { transaction } from '../../db/connect.ts';
import { deleteMembership, findMembership, lockOwners } from '../../db/tables/memberships.ts';
import { changedFields } from '../domain/auditEvent.ts';
import { AppError } from '../errors.ts';
import type { Act } from './act.ts';
import { refuseBeyondOwn } from './addMember.ts';
import { refuseLastOwner } from './changeMember.ts';
import { record } from './record.ts';

/** Puts a member out of the act's tenant, with all their own keys there, from the next request on. The last owner stays: 409. */
export async function removeMember(act: Act, userId: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const owners = await lockOwners(trx, act.tenantId);
    const membership = await findMembership(trx, act.tenantId, userId);
    if (!membership) throw new AppError('not_found', 'There is no such member.');
    refuseBeyondOwn(act, membership);
    refuseLastOwner(owners, userId);
    await deleteMembership(trx, act.tenantId, userId);
    const { role, permissions } = membership;
    await record(trx, act, {
      action: 'MEMBER_REMOVED',
      entityId: userId,
      ...changedFields({ role, permissions: [...permissions] }, null),
    });
  });
}
