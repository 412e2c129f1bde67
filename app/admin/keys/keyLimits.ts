import type { Db } from '../../../db/connection/connect.ts';
import { quotaUsed } from '../../../db/tables/keys/apiKeyQuotas.ts';
import { findLastSuccessor } from '../../../db/tables/keys/apiKeyRotations.ts';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import type { Config } from '../../config.ts';
import { DEFAULT_PLAN, planLimits } from '../../domain/plan.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Rate } from '../../domain/rate.ts';
import { monthOf, nextMonthStart } from '../../domain/times.ts';

/** How often a key may come: what limits it, and who set that. */
export interface KeyLimits {
  rate: (Rate & { by: LimitSource }) | undefined;
  quota: { quota: number; by: LimitSource; used: number; share: number; left: number; resetsAt: number } | undefined;
}

type LimitSource = 'key' | 'tenant' | 'plan' | 'installation';

/** The limits that hold for a key, and how much of its quota it has used this month. */
export async function keyLimits(
  { db, config }: { db: Db; config: Pick<Config, 'limits' | 'sampleProduct'> },
  key: ApiKey,
  policy: Policy,
  now: number,
): Promise<KeyLimits> {
  const plan = planLimits(
    config.sampleProduct ? ((await findTenant(db, key.tenantId))?.plan ?? DEFAULT_PLAN) : DEFAULT_PLAN,
  );
  const rates = [
    { rate: key.rateLimit, by: 'key' },
    { rate: policy.defaultRateLimit, by: 'tenant' },
    { rate: plan.rateLimit, by: 'plan' },
    { rate: config.limits.key, by: 'installation' },
  ] as const;
  const rate = rates.find((one) => one.rate !== null && one.rate !== undefined);
  const quota = key.monthlyQuota ?? plan.monthlyQuota;
  return {
    rate: rate?.rate ? { ...rate.rate, by: rate.by } : undefined,
    quota: quota === null ? undefined : await usedQuota(db, key, quota, now),
  };
}

async function usedQuota(db: Db, { id, tenantId, monthlyQuota }: ApiKey, quota: number, now: number) {
  const used = (await quotaUsed(db, await findLastSuccessor(db, tenantId, id), monthOf(now))) ?? 0;
  return {
    ...{ quota, used, left: Math.max(0, quota - used), resetsAt: nextMonthStart(now) },
    by: monthlyQuota === null ? ('plan' as const) : ('key' as const),
    // What is used at all is shown as more than nothing.
    share: used === 0 ? 0 : Math.min(100, Math.max(0.1, Math.floor((used / quota) * 1000) / 10)),
  };
}
