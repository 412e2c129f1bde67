import { z } from 'zod';
import { USER_STATUSES } from '../../db/tables/people/users.ts';
import { Email } from '../domain/email.ts';
import { PermissionName, ROLES } from '../domain/role.ts';
import { Name } from '../domain/text.ts';

const Permissions = z.array(PermissionName).overwrite((permissions) => [...new Set(permissions)]);

/** A change of a member; absent fields stay as they are. */
export const MemberChange = z.strictObject({ role: z.enum(ROLES).optional(), permissions: Permissions.optional() });

/** An invitation. */
export const NewInvitation = z.strictObject({
  email: Email,
  role: z.enum(ROLES).default('MEMBER'),
  permissions: Permissions.default([]),
});

/** A change of a person's account. */
export const UserChange = z.strictObject({ name: Name, status: z.enum(USER_STATUSES) }).partial();
