import type { Db } from '../../../db/connection/connect.ts';
import { countOfTenant } from '../../../db/tables/usage/tenantUsageHours.ts';
import { countApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import { DEFAULT_PLAN } from '../../domain/plan.ts';
import { monthStart } from '../../domain/times.ts';

/** What a tenant has used of its plan. */
export interface PlanUse {
  keys: number;
  requestsThisMonth: number;
}

/** The plan a tenant is on, and how far it has used it up this month. */
export async function planUse(db: Db, tenantId: string, now: number): Promise<{ plan: string; used: PlanUse }> {
  const plan = (await findTenant(db, tenantId))?.plan ?? DEFAULT_PLAN;
  const used = {
    keys: await countApiKeys(db, tenantId, { statuses: ['active'], now }),
    requestsThisMonth: await countOfTenant(db, tenantId, { from: monthStart(now), to: now + 1 }),
  };
  return { plan, used };
}
