import { z } from 'zod';
import type { Invitation } from '../../../db/tables/people/invitations.ts';
import { PERMISSIONS, ROLES } from '../../domain/role.ts';
import { iso } from '../../domain/times.ts';

/** An invitation as the tenant that sent it sees it, which reveals nothing about the owner of the email. */
export const InvitationAnswer = z.strictObject({
  id: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  permissions: z.array(z.enum(PERMISSIONS)),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export const InvitationListAnswer = z.strictObject({
  data: z.array(InvitationAnswer),
  nextCursor: z.string().nullable(),
});

/** A new invitation with its link, which is shown once. */
export const InvitedAnswer = InvitationAnswer.extend({ url: z.url() });

export function presentInvitation(invitation: Invitation): z.output<typeof InvitationAnswer> {
  const { id, email, role, permissions, createdAt, expiresAt } = invitation;
  return { id, email, role, permissions: [...permissions], createdAt: iso(createdAt), expiresAt: iso(expiresAt) };
}

export function presentInvited(invitation: Invitation, url: string): z.output<typeof InvitedAnswer> {
  return { ...presentInvitation(invitation), url };
}
