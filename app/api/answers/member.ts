import { z } from 'zod';
import type { Member } from '../../../db/tables/people/memberships.ts';
import { USER_STATUSES } from '../../../db/tables/people/users.ts';
import { PermissionName, ROLES } from '../../domain/role.ts';
import { iso } from '../../domain/times.ts';

/** A person as the tenant sees them, without their other tenants. */
const Known = {
  id: z.string(),
  email: z.string(),
  name: z.string(),
  status: z.enum(USER_STATUSES),
  role: z.enum(ROLES),
  joinedAt: z.iso.datetime(),
};

export const UserAnswer = z.strictObject(Known);
export const UserListAnswer = z.strictObject({ data: z.array(UserAnswer), nextCursor: z.string().nullable() });

/** A member with the permissions beyond their role. */
export const MemberAnswer = z.strictObject({ ...Known, permissions: z.array(PermissionName) });
export const MemberListAnswer = z.strictObject({ data: z.array(MemberAnswer), nextCursor: z.string().nullable() });

export function presentUser({ id, email, name, status, role, createdAt }: Member): z.output<typeof UserAnswer> {
  return { id, email, name, status, role, joinedAt: iso(createdAt) };
}

export function presentMember(member: Member): z.output<typeof MemberAnswer> {
  return { ...presentUser(member), permissions: [...member.permissions] };
}
