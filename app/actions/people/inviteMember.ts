import { transaction, type Db } from '../../../db/connection/connect.ts';
import { replaceInvitation, type Invitation } from '../../../db/tables/people/invitations.ts';
import { isMemberByEmail } from '../../../db/tables/people/memberships.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { INVITATION_LIFETIME_MS } from '../../domain/invitation.ts';
import { hashToken, newToken } from '../../domain/session.ts';
import { iso } from '../../domain/times.ts';
import type { ActionContext } from '../actionContext.ts';
import { alreadyMember, refuseMembershipBeyondOwn, type MemberInput } from './addMember.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

export interface InvitationInput extends MemberInput {
  /** Normalised by `normaliseEmail`. */
  email: string;
}

/**
 * Invites an email into the tenant, replaces its earlier invitation, and returns the token of the link, which is shown
 * once. The answer does not depend on whether the email has an account; a member of this tenant is 409.
 */
export async function inviteMember(
  act: ActionContext,
  { email, role, permissions = [] }: InvitationInput,
): Promise<{ invitation: Invitation; token: string }> {
  refuseMembershipBeyondOwn(act, { role, permissions });
  const { tenantId, now, actor: inviter } = act;
  const token = newToken();
  const invitation: Invitation = {
    id: newId(),
    tenantId,
    email,
    role,
    permissions,
    status: 'pending',
    inviter,
    createdAt: now,
    expiresAt: now + INVITATION_LIFETIME_MS,
  };
  const invite = async (trx: Db) => {
    if (await isMemberByEmail(trx, tenantId, email)) throw alreadyMember();
    await replaceInvitation(trx, invitation, hashToken(token));
    await recordAuditEvent(trx, act, {
      action: 'INVITATION_CREATED',
      entityId: invitation.id,
      ...changedFields(null, { email, role, permissions: [...permissions], expiresAt: iso(invitation.expiresAt) }),
    });
    return { invitation, token };
  };
  return transaction(act.db, async (trx) => makeOnce(trx, act, async () => invite(trx)));
}

/** The link on which the invited person accepts or declines; anyone who has it can answer the invitation. */
export function invitationLink(origin: string, token: string): string {
  return `${origin}/invitation?token=${token}`;
}
