import { z } from 'zod';
import { earlierExpiry } from './keyBounds.ts';
import { NetworkList } from './network.ts';
import { problem, type Problem } from './problem.ts';
import { memoizeByText } from './memoizeByText.ts';
import { isPlatformScope } from './scopeCatalogue.ts';
import { GrantableScope } from './scopeInput.ts';

const DAY_MS = 86_400_000;

const Days = z.int().min(1).max(3650);

/** So many requests in so many seconds, as input. */
export const RateLimit = z.strictObject({
  limit: z.int().min(1).max(1_000_000),
  windowSeconds: z.int().min(1).max(86_400),
});

export const StoredPolicy = z.strictObject({
  maxLifetimeDays: Days.nullable(),
  requireExpiry: z.boolean(),
  // Read as it is, since a scope that left the catalogue must not lock a tenant out.
  defaultScopes: z.array(z.string()),
  allowedNetworks: NetworkList,
  maxGraceSeconds: z.int().min(0).max(31_536_000),
  idleDays: Days.nullable(),
  keysMayManageKeys: z.boolean(),
  allowBearerKeys: z.boolean(),
  leakAction: z.enum(['revoke', 'expire', 'notify']),
  enforceOnExisting: z.boolean(),
  defaultRateLimit: RateLimit.nullable(),
});

const DefaultScope = GrantableScope.refine((scope) => !isPlatformScope(scope), problem('no_default_platform_scope'));

const DefaultScopes = z
  .array(DefaultScope)
  .min(1)
  .max(50)
  .overwrite((scopes) => [...new Set(scopes)]);

/** A change as input: any of the fields, with null to lift a rule that may be absent. */
export const PolicyChange = StoredPolicy.extend({ defaultScopes: DefaultScopes })
  .partial()
  .meta({ examples: [{ maxGraceSeconds: 86_400, leakAction: 'revoke' }] });
export type PolicyChange = z.output<typeof PolicyChange>;

type Stored = z.output<typeof StoredPolicy>;
/** A tenant's rules for its keys, every one stated; frozen, since many requests share it. */
export type Policy = { readonly [Field in keyof Stored]: Readonly<Stored[Field]> };

/** The policy of a tenant that has changed nothing. */
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
  enforceOnExisting: false,
  defaultRateLimit: null,
});

/** The closed list of what a policy refuses. */
export type PolicyProblem = 'expiry_required' | 'lifetime_too_long' | 'grace_too_long';

/**
 * The policy that a tenant's stored text states, with defaults for what it leaves open; the same object for the same
 * text. Throws on text that is not wholly understood, so that no rule is ever lost in silence.
 */
export function readPolicy(text: string | null): Policy {
  return text === null ? DEFAULT_POLICY : parsedPolicy(text);
}

const parsedPolicy = memoizeByText(parsePolicy, 1_000);

/** The policy after a change: fields that the change does not name stay as they were. */
export function changePolicy(policy: Policy, change: PolicyChange): Policy {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return frozen(StoredPolicy.parse({ ...policy, ...Object.fromEntries(named) }));
}

/**
 * Says what is wrong with the expiry of a key whose life starts at `startsAt` (its creation, also when it is changed
 * later); undefined promises that the policy allows it.
 */
export function lifetimeProblem(
  { requireExpiry, maxLifetimeDays }: LifetimeRules,
  expiresAt: number | null,
  startsAt: number,
): PolicyProblem | undefined {
  if (expiresAt === null) return requireExpiry || maxLifetimeDays !== null ? 'expiry_required' : undefined;
  if (maxLifetimeDays === null) return undefined;
  return expiresAt <= startsAt + maxLifetimeDays * DAY_MS ? undefined : 'lifetime_too_long';
}

/** Says whether a rotation asks for more grace than the policy allows. */
export function graceProblem(policy: Policy, seconds: number): PolicyProblem | undefined {
  return seconds <= policy.maxGraceSeconds ? undefined : 'grace_too_long';
}

/** The rules of a policy that a key can break after it was made. */
export type LifetimeRules = Pick<Policy, 'maxLifetimeDays' | 'requireExpiry'>;

/** Whether a stored key breaks them; one that was rotated ends with its grace period at the latest. */
export function breaksLifetimeRules(
  rules: LifetimeRules,
  { createdAt, expiresAt, graceEndsAt }: { createdAt: number; expiresAt: number | null; graceEndsAt: number | null },
): boolean {
  return lifetimeProblem(rules, earlierExpiry(expiresAt, graceEndsAt), createdAt) !== undefined;
}

/** A policy's refusal as a problem with a text. */
export function policyFault(key: PolicyProblem, { maxLifetimeDays, maxGraceSeconds }: Policy): Problem {
  return { key, values: { days: maxLifetimeDays ?? 0, seconds: maxGraceSeconds } };
}

/** Whether a key has gone unused for as long as the policy lets one; a key never used counts from its creation. */
export function isIdle(
  { idleDays }: Policy,
  { createdAt, lastUsedAt }: { createdAt: number; lastUsedAt: number | null },
  now: number,
): boolean {
  if (idleDays === null) return false;
  return now - Math.max(createdAt, lastUsedAt ?? createdAt) >= idleDays * DAY_MS;
}

function parsePolicy(text: string): Policy {
  try {
    const stated = StoredPolicy.partial().parse(JSON.parse(text));
    return changePolicy(DEFAULT_POLICY, stated);
  } catch (cause) {
    throw new Error('A stored key policy is not readable', { cause });
  }
}

function frozen<T extends object>(value: T): Readonly<T> {
  const inner: unknown[] = Object.values(value);
  for (const part of inner) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}
