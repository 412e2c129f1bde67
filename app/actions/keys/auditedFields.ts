import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { iso } from '../../domain/times.ts';

/** What the audit log tells of a key, beside its scopes: what was chosen for it, never what it is known by. */
export function auditedFields(key: ApiKey): Record<string, unknown> {
  return {
    name: key.name,
    description: key.description,
    expiresAt: iso(key.expiresAt),
    allowedIps: key.allowedIps,
    rateLimit: key.rateLimit,
    monthlyQuota: key.monthlyQuota,
    externalId: key.externalId,
    metadata: key.metadata,
  };
}
