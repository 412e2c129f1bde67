import type { z } from 'zod';
import { StoredPolicy, type Policy } from '../../domain/policy.ts';

/** A tenant's rules for its keys, every one of them stated. */
export const PolicyAnswer = StoredPolicy;

export function presentPolicy(policy: Policy): z.output<typeof PolicyAnswer> {
  return {
    maxLifetimeDays: policy.maxLifetimeDays,
    requireExpiry: policy.requireExpiry,
    defaultScopes: [...policy.defaultScopes],
    allowedNetworks: [...policy.allowedNetworks],
    maxGraceSeconds: policy.maxGraceSeconds,
    idleDays: policy.idleDays,
    keysMayManageKeys: policy.keysMayManageKeys,
    allowBearerKeys: policy.allowBearerKeys,
    leakAction: policy.leakAction,
    enforceOnExisting: policy.enforceOnExisting,
    defaultRateLimit: policy.defaultRateLimit,
  };
}
