import { transaction } from '../../../db/connection/connect.ts';
import { findMembership, insertMembership } from '../../../db/tables/people/memberships.ts';
import { findUser } from '../../../db/tables/people/users.ts';
import { lockTenant } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/**
 * Makes an operator an owner of the tenant, whose members see them in the list and in the audit log; an operator who is a
 * member already stays what they are. A suspended tenant is 403.
 */
export async function enterTenant(act: ActionContext, operatorId: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const tenant = await lockTenant(trx, act.tenantId);
    const user = await findUser(trx, operatorId);
    if (!tenant || !user) throw new AppError('not_found', 'no_such_tenant');
    if (tenant.status !== 'active') throw new AppError('tenant_suspended', 'tenant_is_suspended');
    if (await findMembership(trx, tenant.id, operatorId)) return;
    const membership = { role: 'OWNER' as const, permissions: [] };
    await insertMembership(trx, { tenantId: tenant.id, userId: operatorId, ...membership }, act.now);
    await recordAuditEvent(trx, act, {
      action: 'OPERATOR_ENTERED',
      entityId: operatorId,
      ...changedFields(null, { email: user.email, ...membership }),
    });
  });
}
