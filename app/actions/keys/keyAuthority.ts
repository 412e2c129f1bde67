import { holdsScope, lackedPermissions } from '../../auth/authority.ts';
import type { Principal } from '../../context.ts';
import { fieldsBeyond, type BoundedFields } from '../../domain/keyBounds.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Permission, Role } from '../../domain/role.ts';
import { isPlatformScope } from '../../domain/scopeCatalogue.ts';
import type { ProblemKey } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';
import { missingScope } from '../../auth/challenge.ts';
import type { Act } from '../act.ts';

/** Refuses a key that manages keys where the policy, read in the same transaction, does not let it. */
export function refuseKeysUnlessAllowed({ principal }: Act, policy: Policy): void {
  if (principal?.type !== 'api_key' || policy.keysMayManageKeys) return;
  throw new AppError('insufficient_permission', 'keys_manage_no_keys');
}

/** Refuses that a key makes, puts out or changes anybody who is more than a member without permissions. */
export function refuseKeyBeyondMember(role: Role, permissions: readonly Permission[]): void {
  if (role === 'MEMBER' && permissions.length === 0) return;
  throw new AppError('insufficient_permission', 'keys_only_plain_members');
}

/** Refuses that a key changes what only a person may change. */
export function refuseKeys({ principal }: Act, problem: ProblemKey, path?: string): void {
  if (principal?.type !== 'api_key') return;
  throw new AppError('insufficient_permission', problem, {
    ...(path !== undefined && { errors: [{ path, problem: { key: 'only_a_person_changes' } }] }),
  });
}

/** Refuses to give away scopes that the caller does not hold; those of the platform only an operator gives, in person. */
export function refuseToGrantBeyondOwnScopes(act: Act, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') {
    const platform = scopes.find(isPlatformScope);
    if (platform !== undefined) throw forOperators(platform);
  }
  refuseBeyondOwnScopes(act, scopes);
}

/** Refuses to lay hands on a key that may do more than the caller: whoever rotates a key holds its new text. */
export function refuseBeyondOwnScopes({ principal }: Act, scopes: readonly string[]): void {
  if (!principal) return;
  const beyond = scopes.find((scope) => !holdsScope(principal, scope));
  if (beyond === undefined) {
    refuseLackedPermissions(principal, scopes);
    return;
  }
  if (principal.type === 'api_key') throw missingScope(beyond);
  throw isPlatformScope(beyond)
    ? forOperators(beyond)
    : new AppError('insufficient_permission', { key: 'scope_beyond_role', values: { scope: beyond } });
}

/** Whoever gives a scope that stands for a permission would have that permission by the key. */
function refuseLackedPermissions(principal: Principal, scopes: readonly string[]): void {
  for (const scope of scopes) {
    const lacked = lackedPermissions(principal, scope).join(', ');
    if (lacked === '') continue;
    throw new AppError('insufficient_permission', {
      key: 'scope_takes_permission',
      values: { scope, permissions: lacked },
    });
  }
}

/** Refuses that a key gives, or lays hands on, a key that is bounded less than itself; `paths` name fields otherwise. */
export function refuseBeyondOwnBounds(
  { principal }: Act,
  key: BoundedFields,
  paths: Partial<Record<keyof BoundedFields, string>> = {},
): void {
  if (principal?.type !== 'api_key') return;
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

/** A person who may manage keys may stop any of them; a key that could would be a way to lock its masters out. */
export function refuseToRevokeBeyondOwnScopes(act: Act, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') refuseBeyondOwnScopes(act, scopes);
}

function forOperators(scope: string): AppError {
  return new AppError('insufficient_permission', { key: 'scope_of_operators', values: { scope } });
}
