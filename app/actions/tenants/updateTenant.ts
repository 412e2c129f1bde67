import { transaction } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { changeTenant, lockTenant, type TenantRecord, type TenantStatus } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { slugTaken } from './createTenant.ts';
import { recordAuditEvent } from '../auditRecord.ts';

export interface TenantUpdate {
  name?: string | undefined;
  slug?: string | undefined;
  status?: TenantStatus | undefined;
  externalId?: string | null | undefined;
}

/**
 * Changes a tenant as an operator may; a suspension holds in every process once this returns. The audit event is in
 * that tenant's own log, and a change without effect records none.
 */
export async function updateTenant(
  act: Omit<ActionContext, 'tenantId'>,
  id: string,
  update: TenantUpdate,
): Promise<TenantRecord> {
  try {
    return await transaction(act.db, async (trx) => {
      const before = await lockTenant(trx, id);
      if (!before) throw new AppError('not_found', 'no_such_tenant');
      refuseChanged(act.expectedVersions, versionOfTenant(before));
      const after = { ...before, ...givenFields(update) };
      const changes = changedFields(auditedFields(before), auditedFields(after));
      if (!changes.before && !changes.after) return before;
      await changeTenant(trx, id, givenFields(update), act.now);
      await recordAuditEvent(trx, { ...act, tenantId: id }, { action: 'TENANT_UPDATED', entityId: id, ...changes });
      return { ...after, updatedAt: act.now };
    });
  } catch (error) {
    throw isDuplicate(error) ? slugTaken(error) : error;
  }
}

/** The version of a tenant as it is called and whether it is active; its policy has one of its own. */
export function versionOfTenant(tenant: TenantRecord): string {
  return versionOf(auditedFields(tenant));
}

/** The fields that were given at all, null included. */
function givenFields({ name, slug, status, externalId }: TenantUpdate) {
  return {
    ...(name !== undefined && { name }),
    ...(slug !== undefined && { slug }),
    ...(status !== undefined && { status }),
    ...(externalId !== undefined && { externalId }),
  };
}

function auditedFields({ name, slug, status, externalId }: TenantRecord) {
  return { name, slug, status, externalId };
}
