import { z } from 'zod';
import { covers } from './scope.ts';
import type { ScopeSet } from './scope.ts';
import { BUILT_IN, isPlatformScope, type ScopeCatalogue } from './scopeCatalogue.ts';

/** The roles of a person in a tenant, the most powerful first. */
export const ROLES = ['OWNER', 'ADMIN', 'MEMBER'] as const;
export type Role = (typeof ROLES)[number];

/** The closed list of what a person may be allowed beyond scoped routes. */
export const PERMISSIONS = [
  'api-keys:read',
  'api-keys:manage',
  'audit:read',
  'members:read',
  'members:manage',
  'billing:manage',
  'tickets:manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Permissions for pages and routes of the sample product, which open nothing without it. */
export const SAMPLE_PERMISSIONS: ReadonlySet<Permission> = new Set(['billing:manage', 'tickets:manage']);

/** A permission in input and answers: one list for every installation, since people keep what they were granted. */
export const PermissionName = z
  .enum(PERMISSIONS)
  .describe(
    `What a person may be allowed. \`${[...SAMPLE_PERMISSIONS].join('\` and \`')}\` are for the sample product: where it is off they open nothing, and people who hold them from before keep them.`,
  );

const INHERENT: Readonly<Record<Role, readonly Permission[]>> = {
  OWNER: PERMISSIONS,
  ADMIN: ['api-keys:read', 'audit:read'],
  MEMBER: [],
};

/** Everything a person of this role may do, given what was granted on top; a text that is no permission grants nothing. */
export function permissionsOf(role: Role, granted: readonly string[]): ReadonlySet<Permission> {
  return new Set(PERMISSIONS.filter((one) => INHERENT[role].includes(one) || granted.includes(one)));
}

/** Resources that an admin only looks at: money, and the rules that bind admins themselves. */
const OWNERS_OWN = new Set(['billing', 'admin']);

/** What a member's role stands for, by catalogue. */
const memberScopes = new WeakMap<ScopeCatalogue, ScopeSet>();

/**
 * Whether a person of this role may use a route that requires the scope. The platform stands above tenants: no role
 * opens it, being an operator does. Routes of this process are judged by the built-in catalogue, all else by that of the moment.
 */
export function roleCoversScope(
  role: Role,
  requiredScope: string,
  operator = false,
  catalogue: ScopeCatalogue = BUILT_IN,
): boolean {
  if (isPlatformScope(requiredScope)) return operator;
  switch (role) {
    case 'OWNER':
      return covers('*', requiredScope);
    case 'ADMIN':
      return covers('*', requiredScope) && !isOwnersOwn(catalogue.meaningOf(requiredScope));
    case 'MEMBER':
      return memberScopesIn(catalogue).covers(requiredScope);
  }
}

/** Whether only owners hold the scope; `meaning` is the scope that a name stands for, as `billing:write` for `write:billing`. */
function isOwnersOwn(meaning: string): boolean {
  const [resource = '', action] = meaning.split(':');
  return resource === '*' || (OWNERS_OWN.has(resource) && action !== 'read');
}

function memberScopesIn(catalogue: ScopeCatalogue): ScopeSet {
  let scopes = memberScopes.get(catalogue);
  if (!scopes) {
    const all = ['read', 'self:write', 'builder:write', 'support:write', ...writeOnOrdinaryRecords(catalogue)];
    memberScopes.set(catalogue, (scopes = catalogue.scopeSetOf(all)));
  }
  return scopes;
}

function writeOnOrdinaryRecords(catalogue: ScopeCatalogue): string[] {
  const ordinary = catalogue.scopes.filter(({ group }) => group === 'records' || group === 'workspace');
  return ordinary.map(({ scope }) => scope).filter((scope) => scope.endsWith(':write'));
}
