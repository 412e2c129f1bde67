import type { KeyHolder, Person } from '../context.ts';
import { roleCoversScope, type Permission } from '../domain/role.ts';
import { permissionsBehind } from '../http/access.ts';

type Holder = Person | Pick<KeyHolder, 'type' | 'scopes' | 'owner'>;

/** Whether the caller could do what the scope opens: a key by its own scopes, and no more than its owner could. */
export function holdsScope(principal: Holder, scope: string): boolean {
  if (principal.type === 'user') return roleCoversScope(principal.role, scope, principal.operator);
  const { scopes, owner } = principal;
  return scopes.covers(scope) && (owner === null || roleCoversScope(owner.role, scope, owner.operator));
}

/**
 * The permissions that the scope stands for and the caller, or the owner of the calling key, lacks. A tenant's own key
 * has no owner and is bounded by its scopes alone.
 */
export function lackedPermissions(principal: Holder, scope: string): Permission[] {
  const held = principal.type === 'user' ? principal.permissions : principal.owner?.permissions;
  return held ? permissionsBehind(scope).filter((permission) => !held.has(permission)) : [];
}

/** Whether the caller may give a key this scope. */
export function mayGrant(principal: Holder, scope: string): boolean {
  return holdsScope(principal, scope) && lackedPermissions(principal, scope).length === 0;
}
