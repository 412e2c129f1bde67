import type { Db } from '../../../db/connection/connect.ts';
import { countApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { findTenant, lockTenant } from '../../../db/tables/tenants.ts';
import { holdsScope, lackedPermissions } from '../../auth/authority.ts';
import { missingScope } from '../../auth/challenge.ts';
import { actsForOtherTenant, type Principal } from '../../context.ts';
import { fieldsBeyond, type BoundedFields } from '../../domain/keyBounds.ts';
import { planLimits, planNamed } from '../../domain/plan.ts';
import { lifetimeProblem, policyFault, type Policy } from '../../domain/policy.ts';
import { isPlatformScope, type ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { AppError, invalidField } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { findCatalogue } from '../grantableScopes.ts';

/** The tenant's policy as this transaction reads it. */
export async function findPolicy(trx: Db, tenantId: string): Promise<Policy> {
  const tenant = await findTenant(trx, tenantId);
  if (!tenant) throw new AppError('not_found', 'no_such_tenant');
  return tenant.policy;
}

/** Refuses callers that are keys of the tenant where its policy does not let keys manage keys. */
export function requireKeysMayManageKeys({ principal }: ActionContext, policy: Policy): void {
  if (principal?.type !== 'api_key' || actsForOtherTenant(principal) || policy.keysMayManageKeys) return;
  throw new AppError('insufficient_permission', 'keys_manage_no_keys');
}

/** An act that has read the catalogue of scopes, by which it is known what the caller may give away. */
export interface GrantingContext extends ActionContext {
  catalogue: ScopeCatalogue;
}

/** Refuses to grant scopes that the caller lacks; only operators grant platform scopes, and never through a key. */
export function refuseToGrantBeyondOwnScopes(act: GrantingContext, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') {
    const platform = scopes.find(isPlatformScope);
    if (platform !== undefined) throw operatorScopeRefused(platform);
  }
  refuseBeyondOwnScopes(act, scopes);
}

/** Refuses to change a key that has scopes the caller lacks, since rotating a key gives its new text to the caller. */
export function refuseBeyondOwnScopes({ principal, catalogue }: GrantingContext, scopes: readonly string[]): void {
  if (!principal) return;
  const beyond = scopes.find((scope) => !holdsScope(principal, scope, catalogue));
  if (beyond === undefined) {
    refuseScopesOfLackedPermissions(principal, scopes);
    return;
  }
  if (principal.type === 'api_key') throw missingScope(beyond);
  throw isPlatformScope(beyond)
    ? operatorScopeRefused(beyond)
    : new AppError('insufficient_permission', { key: 'scope_beyond_role', values: { scope: beyond } });
}

/** Refuses to show the caller a new text of a key that acts for another person, whom its requests would be told of. */
export function refuseKeyOfAnotherPerson({ principal }: ActionContext, userId: string | null): void {
  if (!principal || userId === null) return;
  const person = principal.type === 'user' ? principal.id : principal.owner?.id;
  if (person !== userId) throw new AppError('insufficient_permission', 'key_of_another_person');
}

/** Refuses scopes that stand for a permission the caller lacks, since the caller would get it through the key. */
function refuseScopesOfLackedPermissions(principal: Principal, scopes: readonly string[]): void {
  for (const scope of scopes) {
    const lacked = lackedPermissions(principal, scope).join(', ');
    if (lacked === '') continue;
    throw new AppError('insufficient_permission', {
      key: 'scope_takes_permission',
      values: { scope, permissions: lacked },
    });
  }
}

/**
 * Refuses a key that makes or changes a key with a later expiry or wider limits than its own; `paths` names the fields
 * in the error where the input calls them otherwise. The keys that a platform key makes for another tenant are used from
 * elsewhere and live longer, so they are bound by their scopes alone.
 */
export function refuseBeyondOwnBounds(
  { principal }: ActionContext,
  key: BoundedFields,
  paths: Partial<Record<keyof BoundedFields, string>> = {},
): void {
  if (principal?.type !== 'api_key' || actsForOtherTenant(principal)) return;
  const fields = fieldsBeyond(principal.bounds, key).map((field) => paths[field] ?? field);
  if (fields.length === 0) return;
  throw new AppError(
    'insufficient_permission',
    { key: 'more_than_own_key', values: { fields: fields.join(', ') } },
    {
      errors: fields.map((path) => ({ path, problem: { key: 'beyond_own_key' } })),
    },
  );
}

/** A person who manages keys may revoke any of them; a key may revoke only those within its own scopes. */
export function refuseToRevokeBeyondOwnScopes(act: GrantingContext, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') refuseBeyondOwnScopes(act, scopes);
}

function operatorScopeRefused(scope: string): AppError {
  return new AppError('insufficient_permission', { key: 'scope_of_operators', values: { scope } });
}

/** Refuses an expiry that has passed, or that the policy forbids for a key that starts at `startsAt`. */
export function refuseExpiry(policy: Policy, expiresAt: number | null, startsAt: number, now: number): void {
  if (expiresAt !== null && expiresAt <= now) throw invalidField('expiresAt', 'must_lie_in_the_future');
  const problem = lifetimeProblem(policy, expiresAt, startsAt);
  if (problem) throw invalidField('expiresAt', policyFault(problem, policy));
}

/**
 * Refuses more keys than the tenant's plan allows, however many requests come at once. Keys that have ended do not
 * count, nor do rotated keys in their grace period, whose successors count already. A paused key can be resumed, and counts.
 */
export async function refuseKeysBeyondPlan(
  trx: Db,
  { tenantId, now }: Pick<ActionContext, 'tenantId' | 'now'>,
  more = 1,
): Promise<void> {
  const tenant = await findTenant(trx, tenantId);
  if (!tenant || planLimits(tenant.plan).keys === null) return;
  // Plans are the sample product's, and gone with it.
  if (!(await findCatalogue(trx)).product.sampleProduct) return;
  // Only tenants with a limit pay for the lock, which makes their requests wait for each other.
  const locked = (await lockTenant(trx, tenantId)) ?? tenant;
  const { keys } = planLimits(locked.plan);
  if (keys === null) return;
  if ((await countApiKeys(trx, tenantId, { statuses: ['active', 'paused'], now }, keys)) + more <= keys) return;
  const plan = planNamed(locked.plan, 'en');
  throw new AppError('plan_limit', { key: 'plan_allows_keys', values: { plan, keys } });
}
