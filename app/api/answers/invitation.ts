import { z } from 'zod';
import type { Invitation } from '../../../db/tables/people/invitations.ts';
import { PermissionName, ROLES } from '../../domain/role.ts';
import { iso } from '../../domain/times.ts';

/** An invitation as the tenant that sent it sees it, which reveals nothing about the owner of the email. */
export const InvitationAnswer = z.strictObject({
  id: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  permissions: z.array(PermissionName),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export const InvitationListAnswer = z.strictObject({
  data: z.array(InvitationAnswer),
  nextCursor: z.string().nullable(),
});

/** A new invitation with its link, which is shown once; where its request is sent again, it says how to get another. */
export const InvitedAnswer = InvitationAnswer.extend({
  url: z
    .url()
    .optional()
    .describe('The link, which is in this answer and nowhere else: absent where the request is sent again.'),
  message: z.string().optional().describe('In place of `url` in an answer that is sent again: how to get a new link.'),
});

export function presentInvitation(invitation: Invitation): z.output<typeof InvitationAnswer> {
  const { id, email, role, permissions, createdAt, expiresAt } = invitation;
  return { id, email, role, permissions: [...permissions], createdAt: iso(createdAt), expiresAt: iso(expiresAt) };
}

/** A new invitation, and apart from it its link, for the answer to the request that made it and for no other. */
export function presentInvited(invitation: Invitation, url: string) {
  return {
    body: presentInvitation(invitation),
    secret: {
      fields: { url },
      gone: 'The link was shown once and is kept nowhere: invite them again to get a new one.',
    },
  };
}
