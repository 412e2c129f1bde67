import { z } from 'zod';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { RevokedKey } from '../../actions/keys/revokeKey.ts';
import type { IssuedKey } from '../../actions/keys/storedKey.ts';
import { ENVIRONMENTS, OWNERS } from '../../domain/keyInput.ts';
import { KEY_STATUSES, keyStatus } from '../../domain/keyStatus.ts';
import { RateLimit } from '../../domain/policy.ts';
import { iso } from '../../domain/times.ts';

const Time = z.iso.datetime();

/** A key as everyone who may see it sees it: never its text, never its hash. */
export const KeyAnswer = z
  .strictObject({
    id: z.string().describe('The key’s id, in addresses and in the audit log. It is no secret.'),
    name: z.string().describe('What people call the key.'),
    description: z.string().nullable().describe('What the key is for.'),
    owner: z
      .enum(OWNERS)
      .describe(
        'Whose it is: the tenant’s, or a person’s, who bounds what it may do and takes it along when they leave.',
      ),
    environment: z
      .enum(ENVIRONMENTS)
      .describe('A label that is part of the key’s text, to tell test keys from live ones.'),
    keyPrefix: z.string().describe('The beginning of the key’s text, to tell keys apart by.'),
    lastFour: z.string().describe('The last four characters of the key’s text.'),
    scopes: z.array(z.string()).describe('What the key may do.'),
    status: z
      .enum(KEY_STATUSES)
      .describe(
        'Whether the key works: `active` and `rotating` ones do. A rotating one was replaced, and ends at `graceEndsAt`; a `paused` one works again once it is resumed.',
      ),
    expiresAt: Time.nullable().describe('When the key stops working by itself; null for never.'),
    lastUsedAt: Time.nullable().describe('When the key was last used, refused requests included; null for never.'),
    lastUsedIp: z.string().nullable().describe('The address that the key was last used from.'),
    allowedIps: z.array(z.string()).describe('The networks that the key may be used from, in CIDR; empty for any.'),
    rateLimit: RateLimit.nullable().describe('How often the key may come; null for what holds by default.'),
    monthlyQuota: z
      .int()
      .nullable()
      .describe(
        'How many requests the key may make in a month of UTC, together with those that it was rotated from or to; null for as many as it likes.',
      ),
    externalId: z
      .string()
      .nullable()
      .describe('What the key, or whoever it was given to, is called in another system.'),
    metadata: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .describe('Anything that was noted with the key.'),
    previousKeyId: z.string().nullable().describe('The id of the key whose place this one took.'),
    successorKeyId: z.string().nullable().describe('The id of the key that took this one’s place.'),
    graceEndsAt: Time.nullable().describe('When a key that was replaced stops working.'),
    createdBy: z
      .string()
      .nullable()
      .describe('The id of the person or the key that made it; null where it was made on the server itself.'),
    createdAt: Time.describe('When it was made.'),
    updatedAt: Time.describe('When it was last changed.'),
    revokedAt: Time.nullable().describe('When it was revoked, or ended because another took its place.'),
  })
  .meta({ id: 'ApiKey' });

/** A key at the one moment its text is shown; where its request is sent again, it says how to get another. */
export const IssuedKeyAnswer = KeyAnswer.extend({
  key: z
    .string()
    .optional()
    .describe(
      'The text of the key, which is in this answer and nowhere else: where the request is sent again under the same `Idempotency-Key`, it is absent.',
    ),
  message: z.string().optional().describe('In place of `key` in an answer that is sent again: how to get a new text.'),
}).meta({ id: 'IssuedApiKey' });

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
  id: z.string().describe('The id of the key that was revoked.'),
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

/** The key with its text, where that is shown and nothing is kept. */
export function presentIssuedKey({ key, text }: IssuedKey, now: number): z.output<typeof IssuedKeyAnswer> {
  return { ...presentKey(key, now), key: text };
}

/** A new key, and apart from it its text, for the answer to the request that made it and for no other. */
export function presentMadeKey({ key, text }: IssuedKey, now: number) {
  return {
    body: presentKey(key, now),
    secret: {
      fields: { key: text },
      gone: 'The text of this key was shown once and is kept nowhere: rotate the key to get a new one.',
    },
  };
}

export function presentRevoked({ id, revokedAt }: RevokedKey): z.output<typeof RevokedAnswer> {
  return { id, revokedAt: iso(revokedAt), message: 'API key has been revoked' };
}
