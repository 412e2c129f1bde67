import type { Metadata } from '../../../app/domain/metadata.ts';
import type { Environment } from '../../../app/domain/token.ts';
import type { ApiKey } from './apiKeys.ts';

/** A key as its table has it. */
export interface Row {
  id: string;
  tenant_id: string;
  user_id: string | null;
  key_hash: Buffer;
  key_prefix: string;
  last_four: string;
  name: string;
  description: string | null;
  environment: Environment;
  scopes: string;
  allowed_ips: string | null;
  rate_limit: number | null;
  rate_window_seconds: number | null;
  monthly_quota: number | null;
  external_id: string | null;
  metadata: string;
  app: string | null;
  expires_at: number | null;
  grace_ends_at: number | null;
  previous_key_id: string | null;
  successor_key_id: string | null;
  created_by: string | null;
  created_at: number;
  updated_at: number;
  last_used_at: number | null;
  last_used_ip: string | null;
  revoked_at: number | null;
  revoked_by: string | null;
  revoke_reason: string | null;
}

/** All columns but the hash, which nobody has to see. */
export const COLUMNS = [
  ...['id', 'tenant_id', 'user_id', 'key_prefix', 'last_four', 'name', 'description', 'environment', 'scopes'],
  ...['allowed_ips', 'rate_limit', 'rate_window_seconds', 'monthly_quota', 'external_id', 'metadata', 'app'],
  ...['expires_at', 'grace_ends_at', 'previous_key_id', 'successor_key_id', 'created_by', 'created_at', 'updated_at'],
  ...['last_used_at', 'last_used_ip', 'revoked_at', 'revoked_by', 'revoke_reason'],
] as Exclude<keyof Row, 'key_hash'>[];

/** The columns of a key that may change, but for those of its uses. */
export function changeableColumns(key: ApiKey) {
  return {
    name: key.name,
    description: key.description,
    scopes: JSON.stringify(key.scopes),
    allowed_ips: key.allowedIps.length === 0 ? null : JSON.stringify(key.allowedIps),
    rate_limit: key.rateLimit?.limit ?? null,
    rate_window_seconds: key.rateLimit?.windowSeconds ?? null,
    monthly_quota: key.monthlyQuota,
    external_id: key.externalId,
    metadata: JSON.stringify(key.metadata),
    expires_at: key.expiresAt,
    grace_ends_at: key.graceEndsAt,
    successor_key_id: key.successorKeyId,
    updated_at: key.updatedAt,
    revoked_at: key.revokedAt,
    revoked_by: key.revokedBy,
    revoke_reason: key.revokeReason,
  };
}

/** A key as the rest of the code knows it. */
export function keyOf(row: Omit<Row, 'key_hash'>): ApiKey {
  const { rate_limit: limit, rate_window_seconds: windowSeconds } = row;
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    keyPrefix: row.key_prefix,
    lastFour: row.last_four,
    name: row.name,
    description: row.description,
    environment: row.environment,
    scopes: JSON.parse(row.scopes) as string[],
    allowedIps: row.allowed_ips === null ? [] : (JSON.parse(row.allowed_ips) as string[]),
    rateLimit: limit === null || windowSeconds === null ? null : { limit, windowSeconds },
    monthlyQuota: row.monthly_quota,
    externalId: row.external_id,
    metadata: JSON.parse(row.metadata) as Metadata,
    app: row.app,
    expiresAt: row.expires_at,
    graceEndsAt: row.grace_ends_at,
    previousKeyId: row.previous_key_id,
    successorKeyId: row.successor_key_id,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    lastUsedIp: row.last_used_ip,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
    revokeReason: row.revoke_reason,
  };
}
