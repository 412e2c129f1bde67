import type { KeyHolder, Person } from '../context.ts';
import { roleCoversScope, type Permission } from '../domain/role.ts';
import { BUILT_IN, type ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { permissionsBehind } from '../http/access.ts';

type Holder = Person | Pick<KeyHolder, 'type' | 'scopes' | 'owner'>;

/**
 * Whether the caller could do what the scope opens: a key by its own scopes, and no more than its owner could. Routes of
 * this process are judged by the built-in catalogue; what is granted, and asked by other backends, by that of the moment.
 */
export function holdsScope(principal: Holder, scope: string, catalogue: ScopeCatalogue = BUILT_IN): boolean {
  if (principal.type === 'user') return roleCoversScope(principal.role, scope, principal.operator, catalogue);
  const { scopes, owner } = principal;
  if (!catalogue.read(scopes).covers(scope)) return false;
  return owner === null || roleCoversScope(owner.role, scope, owner.operator, catalogue);
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
export function mayGrant(principal: Holder, scope: string, catalogue: ScopeCatalogue): boolean {
  return holdsScope(principal, scope, catalogue) && lackedPermissions(principal, scope).length === 0;
}
