import type { Db } from '../../../db/connection/connect.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import type { Policy } from '../../domain/policy.ts';
import { AppError } from '../../errors.ts';

/** The tenant's rules as this transaction sees them, which is what it has to keep. */
export async function policyOf(trx: Db, tenantId: string): Promise<Policy> {
  const tenant = await findTenant(trx, tenantId);
  if (!tenant) throw new AppError('not_found', 'no_such_tenant');
  return tenant.policy;
}
