import { z } from 'zod';
import { Instant } from './instant.ts';
import { Metadata } from './metadata.ts';
import { NetworkList } from './network.ts';
import { RateLimit } from './policy.ts';
import { normaliseScope } from './scope.ts';
import { isKnownScope, unknownScope } from './scopeCatalogue.ts';
import { FreeText, Name } from './text.ts';

export const ENVIRONMENTS = ['live', 'test'] as const;
export const OWNERS = ['tenant', 'user'] as const;

const MOST_SCOPES = 100;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/** A scope as input: in its one spelling, and refused by name when nothing by that name can be granted. */
const Scope = z
  .string()
  .overwrite((text) => normaliseScope(text) ?? text)
  .refine(isKnownScope, { error: ({ input }) => unknownScope(String(input)) });

/** The scopes of a key as input, each once; a key without any would open nothing. */
const Scopes = z
  .array(Scope)
  .min(1)
  .max(MOST_SCOPES)
  .overwrite((scopes) => [...new Set(scopes)]);

/** The customer's own name for what the key stands for; kept to the letter, so it has to be legible. */
export const ExternalId = z.string().max(255).regex(PRINTABLE, 'Must be 1 to 255 printable characters');

/** What may be said of a key at its creation and changed later; null takes an optional field away. */
const changeable = {
  name: Name,
  description: FreeText(500).nullable(),
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
  .meta({ examples: [{ name: 'Nightly export', scopes: ['projects:read'] }] });
export type KeyChange = z.output<typeof KeyChange>;

/** A key to be made: only its name must be given. */
export const NewKey = z
  .strictObject({
    ...KeyChange.shape,
    name: Name,
    environment: z.enum(ENVIRONMENTS).default('live'),
    owner: z.enum(OWNERS).default('tenant'),
    expiresInDays: z.int().min(1).max(365).nullable().optional(),
  })
  .refine(({ expiresAt, expiresInDays }) => (expiresAt ?? null) === null || (expiresInDays ?? null) === null, {
    path: ['expiresInDays'],
    error: 'Give either expiresAt or expiresInDays',
  })
  .meta({ examples: [{ name: 'Nightly export', scopes: ['projects:read'], expiresInDays: 90 }] });
export type NewKey = z.output<typeof NewKey>;

/** A rotation: how long the old key goes on working, and when the new one ends if not when the old one would. */
export const Rotation = z
  .strictObject({
    gracePeriodSeconds: z.int().min(0).max(31_536_000).default(0),
    expiresAt: Instant.nullable().optional(),
  })
  .meta({ examples: [{ gracePeriodSeconds: 3600 }] });
export type Rotation = z.output<typeof Rotation>;

/** A revocation, with the reason for whoever reads the log. */
export const Revocation = z
  .strictObject({ reason: FreeText(255).nullable().optional() })
  .meta({ examples: [{ reason: 'No longer needed' }] });
export type Revocation = z.output<typeof Revocation>;
