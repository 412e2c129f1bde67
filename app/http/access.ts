import type { Permission } from '../domain/role.ts';
import type { Context, Middleware } from '../context.ts';
import { covers } from '../domain/scope.ts';
import { isKnownScope, opens } from '../domain/scopeCatalogue.ts';
import { AppError } from '../errors.ts';
import type { Proxy } from './proxiedRequest.ts';

/** The access that a route requires; each route states one, and `requireAccess` enforces it. */
export type Access =
  | { kind: 'public' }
  | { kind: 'anyone' }
  | { kind: 'scope'; scope: string; platformScope?: string }
  | { kind: 'permission'; permission: Permission; keyScope?: string }
  | { kind: 'basic' }
  | { kind: 'proxy'; proxy: Proxy };

declare module '../context.ts' {
  interface State {
    /** The access that the guard has granted; a route runs only if it is its own. */
    granted?: Access;
  }
}

/** A marker in a route's stack that carries its access. */
export type AccessMarker = Middleware & { access: Access };

/** Open to the world. */
export function open(): AccessMarker {
  return state({ kind: 'public' });
}

/** Any valid credential will do. */
export function anyCredential(): AccessMarker {
  return state({ kind: 'anyone' });
}

/**
 * Keys must hold the scope; a person's role stands for scopes. The `platformScope`, where there is one, opens the route as
 * well, for every tenant.
 */
export function scope(required: string, platformScope?: string): AccessMarker {
  const also = platformScope === undefined ? {} : { platformScope: known(platformScope) };
  return state({ kind: 'scope', scope: known(required), ...also });
}

/**
 * People must hold the permission, keys the `keyScope`, without which no key may come; where that is about keys, keys may
 * come only if the tenant's policy lets keys manage keys.
 */
export function permission(required: Permission, keyScope?: string): AccessMarker {
  if (keyScope === undefined) return state({ kind: 'permission', permission: required });
  const behind = permissionsByKeyScope.get(known(keyScope)) ?? new Set();
  permissionsByKeyScope.set(keyScope, behind.add(required));
  return state({ kind: 'permission', permission: required, keyScope });
}

/** The scopes that a route names, any of which opens it to a key; none where it names none. */
export function scopesOf(access: Access): string[] {
  if (access.kind === 'permission') return access.keyScope === undefined ? [] : [access.keyScope];
  if (access.kind !== 'scope') return [];
  return access.platformScope === undefined ? [access.scope] : [access.scope, access.platformScope];
}

/** The permissions that people need on routes where keys need the scope. */
const permissionsByKeyScope = new Map<string, Set<Permission>>();

/** The permissions that a key gets its holder around: those of every route that the scope opens to keys. */
export function permissionsBehind(scope: string): Permission[] {
  const behind = [...permissionsByKeyScope].filter(([keyScope]) => opens(scope, keyScope));
  return [...new Set(behind.flatMap(([, permissions]) => [...permissions]))];
}

/** Throws on an unknown scope, which would close its route for good, so that the process does not start. */
function known(scope: string): string {
  if (isKnownScope(scope)) return scope;
  throw new Error(`a route asks for ${scope}, which is in no list of scopes: add it to app/domain/ownScopes.ts`);
}

/** Support staff, who show a user and a password of the installation's; no key and no token opens it. */
export function basic(): AccessMarker {
  return state({ kind: 'basic' });
}

/** A configured proxy, which asks what the rules say of a request that it has; what that needs is in the rules. */
export function configuredProxy(proxy: Proxy): AccessMarker {
  return state({ kind: 'proxy', proxy });
}

/** The route's own check that the guard has passed this very access: a route mounted without the chain stays shut. */
function state(access: Access): AccessMarker {
  const check: Middleware = (ctx, next) => {
    if (access.kind !== 'public' && ctx.state.granted !== access) {
      throw new AppError('internal_error', undefined, { cause: new Error('a route was reached without its guard') });
    }
    return next();
  };
  return Object.assign(check, { access });
}

/** Whether a route manages keys, which a key may only do where its tenant's policy says so. */
export function isAboutKeys(keyScope: string): boolean {
  return covers('api-keys:*', keyScope);
}

/** The access that the route of this request states; undefined if there is no route or it states none. */
export function accessOf(ctx: Context): Access | undefined {
  return ctx.state.route?.access;
}

/** The access that a route of a router states. */
export function accessOfLayer(layer: { stack: readonly unknown[] }): Access | undefined {
  for (const middleware of layer.stack) {
    if (typeof middleware === 'function' && 'access' in middleware) return (middleware as AccessMarker).access;
  }
  return undefined;
}
