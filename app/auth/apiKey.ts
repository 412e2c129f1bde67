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

/** Turns a key into its holder, or says why not; a text that is no key of ours never reaches the database. */
export function apiKey(lookup: Lookup, keyPrefix: string, doubtful: DoubtfulLookups): Middleware {
  return (ctx, next) => {
    const { credential } = ctx.state;
    return credential?.kind === 'key' ? withKey(ctx, credential, next) : next();
  };

  async function withKey(ctx: Context, credential: ShownKey, next: () => Promise<unknown>): Promise<void> {
    if (!parseKey(credential.text, keyPrefix)) throw unauthenticated('invalid_key', 'This is not a valid API key.');
    const hash = hashKey(credential.text);
    const turn = doubtful.turn(ctx, hash);
    if (turn) await turn;
    const key = await lookup.key(hash);
    if (!key) throw unauthenticated('invalid_key', 'This is not a valid API key.');
    refuseUnfit(key, credential, ctx.state.address);
    doubtful.foundValid(hash);
    ctx.state.principal = principalOfKey(key);
    await next();
  }
}

type ShownKey = Credential & { kind: 'key' };

function refuseUnfit(key: FoundKey, { transport }: ShownKey, address: string | null): void {
  refuseDead(key, Date.now());
  if (transport === 'Bearer' && !key.tenant.policy.allowBearerKeys) {
    throw unauthenticated('invalid_key', 'This tenant does not take API keys as Bearer tokens.');
  }
  if (!key.tenant.active) throw new AppError('tenant_suspended', 'This tenant is suspended.');
  refuseForeignAddress(key, address);
}

function refuseDead(key: FoundKey, now: number): void {
  const reason = whyNotValid(key, now);
  if (reason === 'revoked') throw unauthenticated('key_revoked', 'This API key has been revoked.');
  if (reason === 'expired') throw unauthenticated('key_expired', 'This API key has expired.');
  if (key.owner && !(key.owner.active && key.owner.role)) {
    throw unauthenticated('key_revoked', 'The person this API key belongs to no longer has access.');
  }
  if (isIdle(key.tenant.policy, key, now)) {
    throw unauthenticated('key_expired', 'This API key was unused for longer than its tenant allows.');
  }
}

function refuseForeignAddress(key: FoundKey, address: string | null): void {
  const { allowedNetworks } = key.tenant.policy;
  const allowed =
    (key.networks === null || contains(key.networks, address)) &&
    (allowedNetworks.length === 0 || contains(Networks.of(allowedNetworks), address));
  if (!allowed) throw new AppError('address_not_allowed', 'This API key may not be used from your address.');
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
