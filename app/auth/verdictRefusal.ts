import { AppError } from '../errors.ts';
import { rateLimited } from '../limits/count.ts';
import { quotaSpent } from '../limits/quota.ts';
import { refusalOfFault } from './apiKey.ts';
import { missingScope, unauthenticated } from './challenge.ts';
import type { Verdict } from './verifyKeys.ts';

/** What a request with this key would be refused with on a route of Latchkey's own; undefined for a good key. */
export function refusalOf({ code, fault, missingScopes, limit }: Verdict, now: number): AppError | undefined {
  if (code === 'valid') return undefined;
  if (fault !== undefined) return refusalOfFault(fault);
  if (missingScopes) return missingScope(missingScopes.join(' '));
  if (code === 'rate_limited' && limit) return rateLimited(limit);
  if (code === 'quota_exceeded') return quotaSpent(now);
  if (code === 'tenant_mismatch' || code === 'address_not_allowed') return new AppError(code, TOLD[code]);
  return unauthenticated('invalid_key', 'not_a_valid_key');
}

const TOLD = { tenant_mismatch: 'key_of_other_tenant', address_not_allowed: 'address_not_allowed' } as const;
