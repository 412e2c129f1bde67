import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { insertTenant, slugsLike } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { freeSlug, slugOf } from '../../domain/slug.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

export interface TenantInput {
  name: string;
  /** Derived from the name if absent. */
  slug?: string | undefined;
  externalId?: string | null | undefined;
}

export interface CreatedTenant {
  id: string;
  slug: string;
  name: string;
}

/** The context of creating a tenant, which has no tenant yet. */
type ContextWithoutTenant = Omit<ActionContext, 'tenantId'>;

const ATTEMPTS = 3;

/** Creates an active tenant; a requested slug that is taken is 409, a derived one gets a number appended. */
export async function createTenant(act: ContextWithoutTenant, input: TenantInput): Promise<CreatedTenant> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(act.db, async (trx) => makeOnce(trx, act, async () => addTenant(trx, act, input)));
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if (input.slug !== undefined || attempt === ATTEMPTS) throw slugTaken(error);
    }
  }
}

/** Creates a tenant in a transaction of the caller; a slug taken at the same moment is refused by the unique index. */
export async function addTenant(trx: Db, act: ContextWithoutTenant, input: TenantInput): Promise<CreatedTenant> {
  const { name, externalId = null } = input;
  const wanted = input.slug ?? slugOf(name);
  const taken = await slugsLike(trx, wanted);
  if (input.slug !== undefined && taken.has(wanted)) throw slugTaken();
  const tenant = { id: newId(), slug: freeSlug(wanted, taken), name };
  await insertTenant(trx, { ...tenant, externalId }, act.now);
  await recordAuditEvent(
    trx,
    { ...act, tenantId: tenant.id },
    {
      action: 'TENANT_CREATED',
      entityId: tenant.id,
      ...changedFields(null, { name, slug: tenant.slug, ...(externalId !== null && { externalId }) }),
    },
  );
  return tenant;
}

/** The 409 for a slug of another tenant. */
export function slugTaken(cause?: unknown): AppError {
  return new AppError('conflict', 'slug_taken', { cause });
}
