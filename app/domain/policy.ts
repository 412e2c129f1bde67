import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { NetworkList } from './network.ts';
import { normaliseScope } from './scope.ts';
import { isKnownScope, isPlatformScope } from './scopeCatalogue.ts';

const DAY_MS = 86_400_000;

const Days = z.int().min(1).max(3650);

const DefaultScope = z
  .string()
  .refine(mayBeDefault, { error: ({ input }) => `Unknown scope: ${String(input).slice(0, 64)}` })
  .overwrite((scope) => normaliseScope(scope) ?? scope);

const WholePolicy = z.strictObject({
  maxLifetimeDays: Days.nullable(),
  requireExpiry: z.boolean(),
  defaultScopes: z.array(DefaultScope).min(1).max(50),
  allowedNetworks: NetworkList,
  maxGraceSeconds: z.int().min(0).max(31_536_000),
  idleDays: Days.nullable(),
  keysMayManageKeys: z.boolean(),
  allowBearerKeys: z.boolean(),
  leakAction: z.enum(['revoke', 'expire', 'notify']),
  defaultRateLimit: z
    .strictObject({ limit: z.int().min(1).max(999_999_999), windowSeconds: z.int().min(1).max(86_400) })
    .nullable(),
});

/** A change as input: any of the fields, and null where a rule is lifted. */
export const PolicyChange = WholePolicy.partial();
export type PolicyChange = z.output<typeof PolicyChange>;

/** A tenant's rules for its keys, every one stated; never altered once made. */
export type Policy = DeepReadonly<z.output<typeof WholePolicy>>;

/** What holds for a tenant that has decided nothing. */
export const DEFAULT_POLICY: Policy = frozen({
  maxLifetimeDays: null,
  requireExpiry: false,
  defaultScopes: ['read'],
  allowedNetworks: [],
  maxGraceSeconds: 2_592_000,
  idleDays: null,
  keysMayManageKeys: false,
  allowBearerKeys: true,
  leakAction: 'revoke',
  defaultRateLimit: null,
});
