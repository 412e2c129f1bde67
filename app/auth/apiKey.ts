import type { Context, KeyHolder, Middleware } from '../context.ts';
import { isAddressAllowed, keyFault, type KeyFault } from '../domain/keyFault.ts';
import { AppError } from '../errors.ts';
import type { FoundKey, Lookup } from './lookup.ts';
import type { DoubtfulLookups } from '../limits/doubtfulLookups.ts';
import { unauthenticated } from './challenge.ts';
import type { Credential } from './credential.ts';
import type { KeyTexts } from './keyTexts.ts';

/** Authenticates a key, or refuses it with the reason; text that is no well-formed key never reaches the database. */
export function apiKey(lookup: Lookup, keyTexts: KeyTexts, doubtful: DoubtfulLookups): Middleware {
  const askKey = keyQuestion(lookup, keyTexts, doubtful);
  return (ctx, next) => {
    const { credential } = ctx.state;
    return credential?.kind === 'key' ? withKey(ctx, credential, next) : next();
  };

  function withKey(ctx: Context, credential: ShownKey, next: () => Promise<unknown>): Promise<unknown> {
    return askKey(ctx, credential).then(({ key, hash }) => {
      ctx.state.principal = usableKey(key, credential, ctx.state.address);
      doubtful.foundValid(hash);
      return next();
    });
  }
}

export type ShownKey = Credential & { kind: 'key' };

/** Asks for the key that was shown; in the turn of its call, unless the address is over its limit. */
export type KeyQuestion = (ctx: Context, shown: ShownKey) => Promise<{ key: FoundKey; hash: string }>;

/** Finds keys for requests; refuses text that is no key of ours and keys that nobody has. */
export function keyQuestion(lookup: Lookup, keyTexts: KeyTexts, doubtful: DoubtfulLookups): KeyQuestion {
  return (ctx, { text }) => {
    const hash = keyTexts.hashOf(text);
    if (hash === undefined) return Promise.reject(unauthenticated('invalid_key', 'not_a_valid_key'));
    const turn = doubtful.turn(ctx, hash);
    return turn ? turn.then(async () => find(hash)) : find(hash);
  };

  function find(hash: string): ReturnType<KeyQuestion> {
    return lookup.key(hash).then((key) => {
      if (!key) throw unauthenticated('invalid_key', 'not_a_valid_key');
      return { key, hash };
    });
  }
}

/** The caller that the key is; refuses one that may not be used now, or not in this way. */
export function usableKey(key: FoundKey, shown: ShownKey, address: string | null): KeyHolder {
  refuseUnusable(key, shown, address);
  return principalOfKey(key);
}

function refuseUnusable(key: FoundKey, { transport }: ShownKey, address: string | null): void {
  const fault = keyFault(key, Date.now());
  if (fault !== undefined) throw refusalOfFault(fault);
  if (transport === 'Bearer' && !key.tenant.policy.allowBearerKeys) {
    throw unauthenticated('invalid_key', 'no_bearer_keys');
  }
  if (!isAddressAllowed(key, address)) throw new AppError('address_not_allowed', 'address_not_allowed');
}

/** What a key with such a fault is refused with. */
export function refusalOfFault(fault: KeyFault): AppError {
  return REFUSALS[fault]();
}

const REFUSALS: Readonly<Record<KeyFault, () => AppError>> = {
  revoked: () => unauthenticated('key_revoked', 'key_has_been_revoked'),
  expired: () => unauthenticated('key_expired', 'key_has_expired'),
  paused: () => unauthenticated('key_paused', 'key_has_been_paused'),
  owner_has_no_access: () => unauthenticated('key_revoked', 'owner_has_no_access'),
  unused_too_long: () => unauthenticated('key_expired', 'key_unused_too_long'),
  tenant_suspended: () => new AppError('tenant_suspended', 'tenant_is_suspended'),
  breaks_policy: () => new AppError('policy_violation', 'key_breaks_policy'),
};

/** The caller that a key is, once nothing of its state refuses it. */
export function principalOfKey(key: FoundKey): KeyHolder {
  return {
    type: 'api_key',
    id: key.id,
    name: key.name,
    tenant: key.tenant,
    home: key.tenant,
    role: key.scopes.role,
    scopes: key.scopes,
    keyPrefix: key.keyPrefix,
    limitedBy: key.limitedBy,
    environment: key.environment,
    owner: ownerOf(key),
    expiresAt: key.expiresAt,
    rateLimit: key.rateLimit,
    monthlyQuota: key.monthlyQuota,
    bounds: key.bounds,
  };
}

/** What decides which scopes a key opens: its own, and what its owner may do. */
export function reachOfKey(key: FoundKey): Pick<KeyHolder, 'type' | 'scopes' | 'owner'> {
  return { type: 'api_key', scopes: key.scopes, owner: ownerOf(key) };
}

function ownerOf({ owner }: FoundKey): KeyHolder['owner'] {
  return owner?.role ? { ...owner, role: owner.role } : null;
}
