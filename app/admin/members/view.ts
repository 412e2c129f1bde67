import type { Invitation } from '../../../db/tables/people/invitations.ts';
import type { Member } from '../../../db/tables/people/memberships.ts';
import type { Principal } from '../../context.ts';
import { mayGrantMembership } from '../../domain/granting.ts';
import { PERMISSIONS, ROLES, SAMPLE_PERMISSIONS, type Permission } from '../../domain/role.ts';

/**
 * The roles and permissions that the reader may grant: no more than their own, and all for operators. A permission that
 * opens nothing here is left out unless it is `held`, so that saving the form does not take it away.
 */
export function grantableRights(principal: Principal, sampleProduct: boolean, held: Member['permissions'] = []) {
  const opensSomething = (one: Permission) => sampleProduct || !SAMPLE_PERMISSIONS.has(one) || held.includes(one);
  return {
    roles: ROLES.filter((role) => mayGrant(principal, role, [])),
    permissions: PERMISSIONS.filter((one) => opensSomething(one) && mayGrant(principal, 'MEMBER', [one])),
  };
}

/** A row of a member, and what the reader may do with it. */
export function presentMemberRow(member: Member, principal: Principal) {
  const { id, name, email, role, permissions, status, createdAt } = member;
  const within = mayGrant(principal, role, permissions);
  const manages = principal.type === 'user' && principal.permissions.has('members:manage');
  return {
    id,
    name,
    email,
    role,
    permissions: [...permissions],
    active: status === 'active',
    createdAt,
    self: id === principal.id,
    mayChange: manages && within,
    mayDisable: principal.type === 'user' && principal.operator,
  };
}

/** A pending invitation as the page shows it. */
export function presentInvitationRow(invitation: Invitation, principal: Principal, now: number) {
  const { id, email, role, permissions, inviter, expiresAt } = invitation;
  const manages = principal.type === 'user' && principal.permissions.has('members:manage');
  return {
    id,
    email,
    role,
    inviter: inviter.name,
    expiresAt,
    expired: expiresAt <= now,
    mayChange: manages && mayGrant(principal, role, permissions),
  };
}

function mayGrant(principal: Principal, role: Member['role'], permissions: Member['permissions']): boolean {
  return principal.type === 'user' && (principal.operator || mayGrantMembership(principal, role, permissions));
}
