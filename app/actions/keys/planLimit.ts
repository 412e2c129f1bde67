import type { Db } from '../../../db/connection/connect.ts';
import { countApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { findTenant, lockTenant } from '../../../db/tables/tenants.ts';
import { planLimits, planNamed } from '../../domain/plan.ts';
import { AppError } from '../../errors.ts';
import type { Act } from '../act.ts';

/**
 * Refuses one more key than the tenant's plan allows, however many are made at once. Keys that no longer work count for
 * nothing, nor do those whose successor counts already.
 */
export async function refuseBeyondPlan(trx: Db, { tenantId, now }: Pick<Act, 'tenantId' | 'now'>): Promise<void> {
  const tenant = await findTenant(trx, tenantId);
  if (!tenant || planLimits(tenant.plan).keys === null) return;
  // Only under a limit do those who make keys wait for each other.
  const held = (await lockTenant(trx, tenantId)) ?? tenant;
  const { keys } = planLimits(held.plan);
  if (keys === null || (await countApiKeys(trx, tenantId, { statuses: ['active'], now }, keys)) < keys) return;
  const plan = planNamed(held.plan);
  throw new AppError('plan_limit', { key: 'plan_allows_keys', values: { plan, keys } });
}
