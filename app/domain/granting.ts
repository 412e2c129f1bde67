import { permissionsOf, ROLES, type Permission, type Role } from './role.ts';

/** What somebody is in a tenant: their role, and all that they may do by it or beyond it. */
export interface MembershipRights {
  readonly role: Role;
  readonly permissions: ReadonlySet<Permission>;
}

/** Whether a person may give, change or take away such a membership: nobody hands out more than they hold. */
export function mayGrantMembership(giver: MembershipRights, role: Role, permissions: readonly Permission[]): boolean {
  const isNoHigher = ROLES.indexOf(role) >= ROLES.indexOf(giver.role);
  return isNoHigher && [...permissionsOf(role, permissions)].every((permission) => giver.permissions.has(permission));
}
