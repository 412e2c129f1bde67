import { holdsScope } from './authority.ts';
import type { KeyHolder, Middleware, Person } from '../context.ts';
import { AppError } from '../errors.ts';
import { accessOf, isAboutKeys, scopesOf, type Access } from '../http/access.ts';
import { missingScope } from './challenge.ts';

/** The fields of a key that decide which routes it may use. */
export type KeyReach = Pick<KeyHolder, 'type' | 'scopes' | 'owner' | 'tenant' | 'home'>;

/** Compares the access that the route states with what the caller holds; a route without one is closed to all. */
export const requireAccess: Middleware = (ctx, next) => {
  const access = accessOf(ctx);
  const { principal } = ctx.state;
  if (!access || !principal) throw new Error('a route without a stated access was reached');
  allow(principal, access);
  ctx.state.granted = access;
  return next();
};

/** Whether the caller could use a route of this access, for pages that link only to pages the reader may open. */
export function mayUse(principal: Person | KeyReach, access: Access): boolean {
  try {
    allow(principal, access);
    return true;
  } catch {
    return false;
  }
}

function allow(principal: Person | KeyReach, access: Access): void {
  switch (access.kind) {
    case 'public':
    case 'anyone':
      return;
    case 'scope':
      if (!scopesOf(access).some((scope) => holdsScope(principal, scope))) throw missingScope(access.scope);
      return;
    case 'basic':
    case 'proxy':
      throw new Error('a route of support staff or of proxies stands behind the wrong guard');
    case 'permission':
      if (principal.type === 'user') allowPerson(principal, access);
      else allowKey(principal, access);
  }
}

function allowPerson(person: Person, { permission }: Access & { kind: 'permission' }): void {
  if (!person.permissions.has(permission)) {
    throw new AppError('insufficient_permission', { key: 'missing_permission', values: { permission: permission } });
  }
}

/** Keys manage keys only if their tenant's policy allows it or they serve the platform, and use other routes only if the route names a scope. */
function allowKey(key: KeyReach, { permission, keyScope }: Access & { kind: 'permission' }): void {
  const isOwnTenant = key.tenant === key.home;
  if (keyScope === undefined || (isAboutKeys(keyScope) && isOwnTenant && !key.tenant.policy.keysMayManageKeys)) {
    throw new AppError('insufficient_permission', { key: 'takes_a_person', values: { permission } });
  }
  if (!holdsScope(key, keyScope)) throw missingScope(keyScope);
  // A key that belongs to a person opens no more than that person may do.
  if (key.owner && !key.owner.permissions.has(permission)) {
    throw new AppError('insufficient_permission', { key: 'missing_permission', values: { permission: permission } });
  }
}
