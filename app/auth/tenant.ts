import { refuseConfinedElsewhere } from './confined.ts';
import type { Context, Middleware, Person, Principal } from '../context.ts';
import { isId } from '../domain/id.ts';
import { hexHashOf } from '../domain/token.ts';
import { AppError } from '../errors.ts';
import { accessOf, isAboutKeys } from '../http/access.ts';
import { holdsScope } from './authority.ts';
import type { FoundPerson, Lookup } from './lookup.ts';
import { subjectOf, type Subject } from './jwks.ts';
import type { DoubtfulLookups } from '../limits/doubtfulLookups.ts';
import { unauthenticated } from './challenge.ts';

/**
 * Where the tenant of a request comes from: `/api` requires the header, `/api/v1` takes the credential's, which the header
 * must agree with. A proxied request's header is the backend's own matter, so that only the credential is looked at.
 */
export type TenantFrom = 'header' | 'credential' | 'credentialAlone';

/** Settles the principal and the tenant of the request; a request without a credential ends here. */
export function tenant(lookup: Lookup, from: TenantFrom, doubtful: DoubtfulLookups): Middleware {
  return (ctx, next) => {
    const { claims, principal } = ctx.state;
    if (claims !== undefined) return withToken(ctx, claims, next);
    if (!principal) throw unauthenticated('missing_credential', 'send_a_credential');
    const named = namedTenant(ctx, from);
    if (named === undefined || isNamed(principal.tenant, named)) return next();
    return forOtherTenant(ctx, principal, named, next);
  };

  /** A platform key manages the keys of every tenant, and nothing else of theirs. */
  async function forOtherTenant(
    ctx: Context,
    principal: Principal,
    named: string,
    next: () => Promise<unknown>,
  ): Promise<void> {
    const access = accessOf(ctx);
    const managesKeys = access?.kind === 'permission' && access.keyScope !== undefined && isAboutKeys(access.keyScope);
    if (!managesKeys || principal.type !== 'api_key' || !holdsScope(principal, 'platform:tenants')) throw mismatch();
    const id = named.toLowerCase();
    const found = await (isId(id) ? lookup.tenant('id', id) : lookup.tenant('slug', named));
    if (!found) throw new AppError('not_found', 'no_such_tenant');
    ctx.state.principal = { ...principal, tenant: found };
    await next();
  }

  async function withToken(ctx: Context, claims: unknown, next: () => Promise<unknown>): Promise<void> {
    const token = subjectOf(claims);
    // The hash is the token's: another token of the same person may be refused.
    const hash = hexHashOf(ctx.state.credential?.text ?? '');
    const turn = token && doubtful.turn(ctx, hash);
    if (turn) await turn;
    const found = token && (await lookup.person(token.by, token.subject));
    ctx.state.principal = personOf(token, found, ctx, from);
    doubtful.foundValid(hash);
    await next();
  }
}

function namedTenant(ctx: Context, from: TenantFrom): string | undefined {
  if (from === 'credentialAlone') return undefined;
  const named = ctx.get('x-tenant-id');
  if (named === '' && from === 'header') throw tenantRequired();
  return named === '' ? undefined : named;
}

function tenantRequired(): AppError {
  return new AppError('tenant_required', 'name_the_tenant');
}

/** Whether the text is the tenant's id, in either case, or its slug. */
export function isNamed(tenant: { id: string; slug: string }, named: string): boolean {
  return isId(named.toLowerCase()) ? tenant.id === named.toLowerCase() : tenant.slug === named;
}

/** To all but platform keys the answer is the same whether or not the tenant exists. */
function mismatch(): AppError {
  return new AppError('tenant_mismatch', 'not_this_tenant');
}

/** Authority is read from the database, since the token may be older than a change of it. */
function personOf(token: Subject | undefined, found: FoundPerson | undefined, ctx: Context, from: TenantFrom): Person {
  if (!found?.active) throw unauthenticated('invalid_token', 'token_of_nobody');
  if (ctx.state.ownToken && isOlderThanPassword(token?.issuedAt, found)) {
    throw unauthenticated('invalid_token', 'token_before_password');
  }
  ctx.state.personId = found.id;
  const named = namedTenant(ctx, from);
  const membership = membershipFor(found, named, token?.tenantId);
  if (ctx.state.ownToken) refuseConfinedElsewhere(found, membership.tenant.id);
  if (!membership.tenant.active) throw new AppError('tenant_suspended', 'tenant_is_suspended');
  const { tenant, role, permissions } = membership;
  return { type: 'user', id: found.id, name: found.name, tenant, role, permissions, operator: found.operator };
}

/** Tokens count whole seconds: one made right after the change says the second of it. */
function isOlderThanPassword(issuedAt: number | undefined, { passwordChangedAt }: FoundPerson): boolean {
  if (passwordChangedAt === null) return false;
  return issuedAt === undefined || issuedAt < Math.floor(passwordChangedAt / 1000);
}

/**
 * The tenant that header and token agree on; where neither names one, the tenant that the person joined first, suspended
 * or not, so that joining another one changes no call.
 */
function membershipFor(
  { memberships }: FoundPerson,
  named: string | undefined,
  tokenTenantId: string | undefined,
): FoundPerson['memberships'][number] {
  const first = memberships.find(
    ({ tenant }) =>
      (tokenTenantId === undefined || tenant.id === tokenTenantId) && (named === undefined || isNamed(tenant, named)),
  );
  if (!first) throw mismatch();
  return first;
}
