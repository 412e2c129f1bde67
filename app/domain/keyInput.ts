import { z } from 'zod';
import { Instant } from './instant.ts';
import { problem } from './problem.ts';
import { Metadata } from './metadata.ts';
import { NetworkList } from './network.ts';
import { RateLimit } from './policy.ts';
import { GrantableScope } from './scopeInput.ts';
import { FreeText, Name } from './text.ts';

export const ENVIRONMENTS = ['live', 'test'] as const;
export const OWNERS = ['tenant', 'user'] as const;

const MOST_SCOPES = 100;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/** The scopes of a key as input, each once; a key without any would open nothing. */
const Scopes = z
  .array(GrantableScope)
  .min(1)
  .max(MOST_SCOPES)
  .overwrite((scopes) => [...new Set(scopes)]);

/** The customer's own name for what the key stands for; kept to the letter, so it has to be legible. */
export const ExternalId = z.string().max(255).regex(PRINTABLE, problem('must_be_external_id'));

/** What a key is for, in words; an empty text is none. */
const Description = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() === '' ? null : value),
  FreeText(500).meta({ minLength: 0 }).nullable(),
);

/** What may be said of a key at its creation and changed later; null takes an optional field away. */
const changeable = {
  name: Name,
  description: Description,
  scopes: Scopes,
  expiresAt: Instant.nullable(),
  allowedIps: NetworkList.nullable(),
  rateLimit: RateLimit.nullable(),
  monthlyQuota: z.int().min(1).max(1_000_000_000_000).nullable(),
  externalId: ExternalId.nullable(),
  metadata: Metadata,
};

/** A change of a key: any of the fields. */
export const KeyChange = z
  .strictObject(changeable)
  .partial()
  .meta({ examples: [{ name: 'Nightly export', scopes: ['read'] }] });
export type KeyChange = z.output<typeof KeyChange>;

/** What a key may change of itself. */
export const SelfChange = KeyChange.pick({ name: true, description: true }).meta({
  examples: [{ name: 'Nightly export', description: 'Runs on the build server' }],
});
export type SelfChange = z.output<typeof SelfChange>;

const Days = z.int().min(1).max(365).nullable().optional();

/** A key to be made: only its name must be given. */
export const NewKey = z
  .strictObject({
    ...KeyChange.shape,
    name: Name,
    environment: z.enum(ENVIRONMENTS).default('live'),
    owner: z.enum(OWNERS).default('tenant'),
    expiresInDays: Days,
    expires_in_days: Days.meta({ description: 'Another name of expiresInDays.' }),
  })
  .refine(({ expiresAt, expiresInDays }) => (expiresAt ?? null) === null || (expiresInDays ?? null) === null, {
    path: ['expiresInDays'],
    error: problem('expiry_given_twice'),
  })
  .refine(
    (wish) =>
      wish.expires_in_days === undefined || (wish.expiresInDays === undefined && (wish.expiresAt ?? null) === null),
    { path: ['expires_in_days'], error: 'expiry_given_twice' },
  )
  .overwrite(({ expires_in_days: days, ...wish }) => (days === undefined ? wish : { ...wish, expiresInDays: days }))
  .meta({ examples: [{ name: 'Nightly export', scopes: ['read'], expiresInDays: 90 }] });
export type NewKey = z.output<typeof NewKey>;

/** A rotation: how long the old key goes on working, and when the new one ends if not when the old one would. */
export const Rotation = z
  .strictObject({
    gracePeriodSeconds: z.int().min(0).max(31_536_000).default(0),
    expiresAt: Instant.nullable().optional(),
  })
  .meta({ examples: [{ gracePeriodSeconds: 3600 }] });
export type Rotation = z.output<typeof Rotation>;

/** A pause or its end, with the reason for whoever reads the log. */
export const Pause = z
  .strictObject({ reason: FreeText(255).nullable().optional() })
  .meta({ examples: [{ reason: 'The provider has an outage' }] });
export type Pause = z.output<typeof Pause>;

/** A revocation, with the reason for whoever reads the log. */
export const Revocation = z
  .strictObject({ reason: FreeText(255).nullable().optional() })
  .meta({ examples: [{ reason: 'No longer needed' }] });
export type Revocation = z.output<typeof Revocation>;
