import type { Context, KeyHolder, Middleware } from '../context.ts';
import { Networks } from '../domain/network.ts';
import { isIdle } from '../domain/policy.ts';
import { whyNotValid } from '../domain/keyStatus.ts';
import { roleOfScopes } from '../domain/scope.ts';
import { hashKey, parseKey } from '../domain/token.ts';
import { AppError } from '../errors.ts';
import type { FoundKey, Lookup } from './lookup.ts';
import type { DoubtfulLookups } from '../limits/doubtfulLookups.ts';
import { unauthenticated } from './challenge.ts';
import type { Credential } from './credential.ts';

/** Authenticates a key, or refuses it with the reason; text that is no well-formed key never reaches the database. */
export function apiKey(lookup: Lookup, installationPrefix: string, doubtful: DoubtfulLookups): Middleware {
  return (ctx, next) => {
    const { credential } = ctx.state;
    return credential?.kind === 'key' ? withKey(ctx, credential, next) : next();
  };

  async function withKey(ctx: Context, credential: ShownKey, next: () => Promise<unknown>): Promise<void> {
    if (!parseKey(credential.text, installationPrefix)) throw unauthenticated('invalid_key', 'not_a_valid_key');
    const hash = hashKey(credential.text);
    const turn = doubtful.turn(ctx, hash);
    if (turn) await turn;
    const key = await lookup.key(hash);
    if (!key) throw unauthenticated('invalid_key', 'not_a_valid_key');
    refuseUnusable(key, credential, ctx.state.address);
    doubtful.foundValid(hash);
    ctx.state.principal = principalOfKey(key);
    await next();
  }
}

type ShownKey = Credential & { kind: 'key' };

function refuseUnusable(key: FoundKey, { transport }: ShownKey, address: string | null): void {
  refuseInactive(key, Date.now());
  if (transport === 'Bearer' && !key.tenant.policy.allowBearerKeys) {
    throw unauthenticated('invalid_key', 'no_bearer_keys');
  }
  if (!key.tenant.active) throw new AppError('tenant_suspended', 'tenant_is_suspended');
  refuseForeignAddress(key, address);
}

function refuseInactive(key: FoundKey, now: number): void {
  const reason = whyNotValid(key, now);
  if (reason === 'revoked') throw unauthenticated('key_revoked', 'key_has_been_revoked');
  if (reason === 'expired') throw unauthenticated('key_expired', 'key_has_expired');
  if (key.owner && !(key.owner.active && key.owner.role)) {
    throw unauthenticated('key_revoked', 'owner_has_no_access');
  }
  if (isIdle(key.tenant.policy, key, now)) {
    throw unauthenticated('key_expired', 'key_unused_too_long');
  }
}

function refuseForeignAddress(key: FoundKey, address: string | null): void {
  const { allowedNetworks } = key.tenant.policy;
  const allowed =
    (key.networks === null || contains(key.networks, address)) &&
    (allowedNetworks.length === 0 || contains(Networks.of(allowedNetworks), address));
  if (!allowed) throw new AppError('address_not_allowed', 'address_not_allowed');
}

/** An unknown address is in no network. */
function contains(networks: Networks, address: string | null): boolean {
  return address !== null && networks.contains(address);
}

function principalOfKey(key: FoundKey): KeyHolder {
  const { owner } = key;
  return {
    type: 'api_key',
    id: key.id,
    name: key.name,
    tenant: key.tenant,
    role: roleOfScopes(key.scopes.meanings),
    scopes: key.scopes,
    keyPrefix: key.keyPrefix,
    environment: key.environment,
    owner: owner?.role ? { ...owner, role: owner.role } : null,
    expiresAt: key.expiresAt,
    rateLimit: key.rateLimit,
    monthlyQuota: key.monthlyQuota,
    bounds: key.bounds,
  };
}
