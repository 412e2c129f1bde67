import { z } from 'zod';
import type { ApiKey } from '../../db/tables/apiKeys.ts';
import { ENVIRONMENTS, OWNERS } from '../domain/keyInput.ts';
import { KEY_STATUSES, keyStatus } from '../domain/keyStatus.ts';
import { RateLimit } from '../domain/policy.ts';
import { iso } from '../domain/times.ts';

const Time = z.iso.datetime();

/** A key as everyone who may see it sees it: never its text, never its hash. */
export const KeyAnswer = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    owner: z.enum(OWNERS),
    environment: z.enum(ENVIRONMENTS),
    keyPrefix: z.string(),
    lastFour: z.string(),
    scopes: z.array(z.string()),
    status: z.enum(KEY_STATUSES),
    expiresAt: Time.nullable(),
    lastUsedAt: Time.nullable(),
    lastUsedIp: z.string().nullable(),
    allowedIps: z.array(z.string()),
    rateLimit: RateLimit.nullable(),
    monthlyQuota: z.int().nullable(),
    externalId: z.string().nullable(),
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    previousKeyId: z.string().nullable(),
    successorKeyId: z.string().nullable(),
    graceEndsAt: Time.nullable(),
    createdBy: z.string().nullable(),
    createdAt: Time,
    updatedAt: Time,
    revokedAt: Time.nullable(),
  })
  .meta({ id: 'ApiKey' });

/** A key at the one moment its text is shown. */
export const IssuedKeyAnswer = KeyAnswer.extend({ key: z.string() }).meta({ id: 'IssuedApiKey' });

/** How many keys fit: the two fields of every list of keys that say so. */
export const Total = {
  total: z.int().describe('How many fit, counted up to 1,000.'),
  totalIsAtLeast: z
    .literal(true)
    .optional()
    .describe('There are more than `total`; a page with fewer keys than `limit` is the last one.'),
};

export const KeyListAnswer = z.strictObject({
  data: z.array(KeyAnswer),
  ...Total,
  page: z.int(),
  limit: z.int(),
});

export const RevokedAnswer = z.strictObject({
  id: z.string(),
  revokedAt: Time,
  message: z.literal('API key has been revoked'),
});

export function presentTotal({ total, totalIsAtLeast }: { total: number; totalIsAtLeast: boolean }) {
  return { total, ...(totalIsAtLeast && { totalIsAtLeast }) };
}

export function presentKey(key: ApiKey, now: number): z.output<typeof KeyAnswer> {
  const status = keyStatus(key, now);
  return {
    id: key.id,
    name: key.name,
    description: key.description,
    owner: key.userId === null ? 'tenant' : 'user',
    environment: key.environment,
    keyPrefix: key.keyPrefix,
    lastFour: key.lastFour,
    scopes: [...key.scopes],
    status,
    expiresAt: iso(key.expiresAt),
    lastUsedAt: iso(key.lastUsedAt),
    lastUsedIp: key.lastUsedIp,
    allowedIps: [...key.allowedIps],
    rateLimit: key.rateLimit,
    monthlyQuota: key.monthlyQuota,
    externalId: key.externalId,
    metadata: key.metadata,
    previousKeyId: key.previousKeyId,
    successorKeyId: key.successorKeyId,
    graceEndsAt: iso(key.graceEndsAt),
    createdBy: key.createdBy,
    createdAt: iso(key.createdAt),
    updatedAt: iso(key.updatedAt),
    // A key that was rotated away ended with its overlap, without anybody revoking it.
    revokedAt: iso(key.revokedAt ?? (status === 'revoked' ? key.graceEndsAt : null)),
  };
}

/** The key with its text, for the answer to the request that made it and for no other. */
export function presentIssuedKey(key: ApiKey, text: string, now: number): z.output<typeof IssuedKeyAnswer> {
  return { ...presentKey(key, now), key: text };
}

export function presentRevoked({ id, revokedAt }: { id: string; revokedAt: number }): z.output<typeof RevokedAnswer> {
  return { id, revokedAt: iso(revokedAt), message: 'API key has been revoked' };
}
