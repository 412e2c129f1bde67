import type { KeyHolder, Person } from './context.ts';
import { roleCoversScope } from './domain/role.ts';

/** Whether the caller could itself do what the scope opens: a key by its own scopes, and no more than its owner could. */
export function holdsScope(principal: Person | Pick<KeyHolder, 'type' | 'scopes' | 'owner'>, scope: string): boolean {
  if (principal.type === 'user') return roleCoversScope(principal.role, scope, principal.operator);
  const { scopes, owner } = principal;
  return scopes.covers(scope) && (owner === null || roleCoversScope(owner.role, scope, owner.operator));
}
