import { transaction } from '../../../db/connection/connect.ts';
import { lockMembership, lockOwners } from '../../../db/tables/people/memberships.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseLastOwner } from './changeMember.ts';
import { endMembership } from './removeMember.ts';

/**
 * Ends the caller's own membership of the tenant and revokes their own keys there; the last owner cannot leave: 409,
 * unless they are an operator, who can enter the tenant again.
 */
export async function leaveTenant(act: ActionContext, userId: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const owners = await lockOwners(trx, act.tenantId);
    const membership = await lockMembership(trx, act.tenantId, userId);
    if (!membership) throw new AppError('not_found', 'no_such_member');
    const isOperator = act.principal?.type === 'user' && act.principal.operator;
    if (!isOperator) refuseLastOwner(owners, userId);
    await endMembership(trx, act, membership, 'MEMBER_LEFT', 'The person it belongs to left');
  });
}
