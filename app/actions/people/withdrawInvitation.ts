import { transaction } from '../../../db/connection/connect.ts';
import { endInvitation, lockInvitation } from '../../../db/tables/people/invitations.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseMembershipBeyondOwn } from './addMember.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** Withdraws a pending invitation of the tenant; its link stops working. */
export async function withdrawInvitation(act: ActionContext, id: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const invitation = await lockInvitation(trx, act.tenantId, id);
    if (!invitation) throw new AppError('not_found', 'no_such_invitation');
    refuseMembershipBeyondOwn(act, invitation);
    await endInvitation(trx, act.tenantId, id, 'withdrawn', act.now);
    const { email } = invitation;
    await recordAuditEvent(trx, act, {
      action: 'INVITATION_WITHDRAWN',
      entityId: id,
      ...changedFields({ email }, null),
    });
  });
}
