import { z } from 'zod';
import { USER_STATUSES } from '../../db/tables/people/users.ts';
import { Email } from '../domain/email.ts';
import { PERMISSIONS, ROLES } from '../domain/role.ts';
import { Name } from '../domain/text.ts';

const Permissions = z.array(z.enum(PERMISSIONS)).overwrite((permissions) => [...new Set(permissions)]);

/** What a member becomes; what is left out stays. */
export const MemberChange = z.strictObject({ role: z.enum(ROLES).optional(), permissions: Permissions.optional() });

/** Somebody to invite. */
export const NewInvitation = z.strictObject({
  email: Email,
  role: z.enum(ROLES).default('MEMBER'),
  permissions: Permissions.default([]),
});

/** What changes of somebody's account. */
export const UserChange = z.strictObject({ name: Name, status: z.enum(USER_STATUSES) }).partial();
