import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { findApiKey } from '../../../db/tables/keys/apiKeys.ts';
import {
  endInvitation,
  findInvitationByHash,
  lockInvitation,
  type Invitation,
  type OpenedInvitation,
} from '../../../db/tables/people/invitations.ts';
import { findMembership } from '../../../db/tables/people/memberships.ts';
import { findUser, findUserByEmail, lockUser } from '../../../db/tables/people/users.ts';
import { refuseConfinedElsewhere } from '../../auth/confined.ts';
import { changedFields, type Actor } from '../../domain/auditEvent.ts';
import { mayGrantMembership } from '../../domain/granting.ts';
import { newId } from '../../domain/id.ts';
import { isPending } from '../../domain/invitation.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { permissionsOf } from '../../domain/role.ts';
import { scopeSetOf } from '../../domain/scopeCatalogue.ts';
import { hashToken } from '../../domain/session.ts';
import { AppError } from '../../errors.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { insertMember } from './addMember.ts';
import { addUser, type CreatedUser } from './createUser.ts';
import { recordAuditEvent } from '../auditRecord.ts';

type AnswerContext = Pick<ActionContext, 'db' | 'now' | 'origin'>;

const ANONYMOUS: Actor = { type: 'anonymous', id: null, name: null };

/** Finds the pending invitation of a link's token; undefined for any other text. */
export async function openInvitation({ db, now }: AnswerContext, token: string): Promise<OpenedInvitation | undefined> {
  const invitation = await findInvitationByHash(db, hashToken(token));
  if (!invitation?.tenantActive || !isPending(invitation, now)) return undefined;
  return (await mayInviterStillInvite(db, invitation, now)) ? invitation : undefined;
}

/** Makes the person a member by an invitation to their own email. */
export async function acceptInvitation(context: AnswerContext, invitation: Invitation, userId: string): Promise<void> {
  const { tenantId } = invitation;
  await transaction(context.db, async (trx) => {
    const locked = await lockPendingInvitation(trx, context, invitation);
    const user = await lockUser(trx, userId);
    if (user?.status !== 'active' || user.email !== locked.email) {
      throw new AppError('insufficient_permission', 'invitation_of_other_email');
    }
    refuseConfinedElsewhere(user, tenantId);
    const act: ActionContext = { ...context, tenantId, actor: { type: 'user', id: user.id, name: user.name } };
    const known = await findMembership(trx, tenantId, userId);
    if (!known) await insertMember(trx, act, user, locked);
    await endAndRecord(trx, act, locked, 'accepted');
  });
}

/**
 * Creates an account for the invited email, with a name and password checked before, and makes it a member. Gives
 * undefined, after the same work, if the email has an account already: its owner signs in and accepts.
 */
export async function joinWithNewAccount(
  context: AnswerContext,
  invitation: Invitation,
  { name, password }: { name: string; password: string },
): Promise<CreatedUser | undefined> {
  const { tenantId } = invitation;
  const passwordHash = await hashPassword(password, context.origin);
  const id = newId();
  const act: ActionContext = { ...context, tenantId, actor: { type: 'user', id, name } };
  try {
    return await transaction(context.db, async (trx) => {
      const { email, role, permissions } = await lockPendingInvitation(trx, context, invitation);
      if (await findUserByEmail(trx, email)) return undefined;
      const membership = { role, permissions };
      const user = await addUser(trx, act, id, { email, name, passwordHash, membership });
      await endAndRecord(trx, act, invitation, 'accepted');
      return user;
    });
  } catch (error) {
    if (isDuplicate(error)) return undefined;
    throw error;
  }
}

/**
 * Declines the invitation for anyone who has the link, signed in or not, since the inviter could withdraw it as well.
 */
export async function declineInvitation(
  context: AnswerContext,
  invitation: Invitation,
  person: { id: string; name: string } | undefined,
): Promise<void> {
  const actor = person ? ({ type: 'user', id: person.id, name: person.name } as const) : ANONYMOUS;
  await transaction(context.db, async (trx) => {
    const locked = await lockPendingInvitation(trx, context, invitation);
    await endAndRecord(trx, { ...context, tenantId: locked.tenantId, actor }, locked, 'declined');
  });
}

/** The 404 for a link that was used, withdrawn, replaced, has expired or never existed. */
export function invitationGone(): AppError {
  return new AppError('not_found', 'invitation_gone');
}

async function lockPendingInvitation(
  trx: Db,
  { now }: AnswerContext,
  { tenantId, id }: Invitation,
): Promise<Invitation> {
  const locked = await lockInvitation(trx, tenantId, id);
  if (!locked || !isPending(locked, now) || !(await mayInviterStillInvite(trx, locked, now))) throw invitationGone();
  return locked;
}

async function endAndRecord(
  trx: Db,
  act: ActionContext,
  { tenantId, id, email }: Invitation,
  status: 'accepted' | 'declined',
): Promise<void> {
  await endInvitation(trx, tenantId, id, status, act.now);
  const action = status === 'accepted' ? 'INVITATION_ACCEPTED' : 'INVITATION_DECLINED';
  await recordAuditEvent(trx, act, { action, entityId: id, ...changedFields(null, { email }) });
}

/**
 * Whether the inviter could still send the same invitation, so that a removed or demoted inviter leaves no way back in.
 */
async function mayInviterStillInvite(
  db: Db,
  { tenantId, inviter, role, permissions }: Invitation,
  now: number,
): Promise<boolean> {
  if (inviter.type === 'system') return true;
  if (inviter.id === null) return false;
  if (inviter.type === 'api_key') return mayKeyInvite(db, tenantId, inviter.id, now);
  const user = await findUser(db, inviter.id);
  if (user?.status !== 'active') return false;
  if (user.operator) return true;
  const membership = await findMembership(db, tenantId, inviter.id);
  if (!membership) return false;
  const held = permissionsOf(membership.role, membership.permissions);
  return (
    held.has('members:manage') && mayGrantMembership({ role: membership.role, permissions: held }, role, permissions)
  );
}

/** A key that was rotated still invites while one of its successors could. */
async function mayKeyInvite(db: Db, tenantId: string, id: string, now: number): Promise<boolean> {
  for (let next: string | null = id; next !== null;) {
    const key = await findApiKey(db, tenantId, next);
    if (!key) return false;
    if (!whyNotValid(key, now) && scopeSetOf(key.scopes).covers('members:write')) return true;
    next = key.successorKeyId;
  }
  return false;
}
