import { permissionsOf, ROLES, type Permission, type Role } from './role.ts';

/** A person's role in a tenant with all their permissions, from the role and beyond it. */
export interface MembershipRights {
  readonly role: Role;
  readonly permissions: ReadonlySet<Permission>;
}

/** Whether a person may grant, change or remove such a membership: no more than they hold themselves. */
export function mayGrantMembership(giver: MembershipRights, role: Role, permissions: readonly Permission[]): boolean {
  const isNoHigher = ROLES.indexOf(role) >= ROLES.indexOf(giver.role);
  return isNoHigher && [...permissionsOf(role, permissions)].every((permission) => giver.permissions.has(permission));
}
