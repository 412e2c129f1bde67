import { transaction } from '../../../db/connection/connect.ts';
import { belongingsOf, type Belonging } from '../../../db/tables/people/memberships.ts';
import { findUserByEmail, updateLastLogin, type User } from '../../../db/tables/people/users.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { normaliseEmail } from '../../domain/email.ts';
import { checkPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent, type AuditContext } from '../auditRecord.ts';

export interface SignedIn {
  user: User;
  /** Their tenants, the one they have been in longest first. */
  belongings: Belonging[];
}

/** Found by nobody, so that an email without an account costs the same queries as one with. */
const UNKNOWN_USER = { id: 'nobody', passwordHash: null, status: 'disabled' } as const;

/**
 * Signs a person in by email and password; undefined, after the same work, for a wrong password, an unknown email and
 * somebody disabled. Either way the audit log of the tenant they have been in longest tells of it.
 */
export async function signIn(
  act: Pick<ActionContext, 'db' | 'now' | 'origin'>,
  { email, password, device }: { email: string; password: string; device?: string | undefined },
): Promise<SignedIn | undefined> {
  const { db, now, origin } = act;
  const address = normaliseEmail(email);
  const known = await findUserByEmail(db, address ?? '');
  const { id, passwordHash, status } = known ?? UNKNOWN_USER;
  const belongings = await belongingsOf(db, id);
  const tenantId = belongings[0]?.tenantId ?? null;
  const right = await checkPassword(passwordHash, password, { ip: origin.ip, device });
  if (!known || !right || status !== 'active') {
    await recordAuditEvent(db, { tenantId, now, origin, actor: ANONYMOUS }, loginFailed(known?.id ?? null, address));
    return undefined;
  }
  await recordLogin(act, known, tenantId);
  return { user: { ...known, lastLoginAt: now }, belongings };
}

/** Writes down that somebody is in who has just shown who they are. */
export async function recordLogin(
  { db, now, origin }: Pick<ActionContext, 'db' | 'now' | 'origin'>,
  { id, name, email }: Pick<User, 'id' | 'name' | 'email'>,
  tenantId: string | null,
): Promise<void> {
  const occasion: AuditContext = { tenantId, now, origin, actor: { type: 'user', id, name } };
  await transaction(db, async (trx) => {
    await updateLastLogin(trx, id, now);
    await recordAuditEvent(trx, occasion, { action: 'LOGIN', entityId: id, ...changedFields(null, { email }) });
  });
}

const ANONYMOUS = { type: 'anonymous', id: null, name: null } as const;

/** An owner recognises a guesser by the email; what is none may be a password or a key, pasted into the wrong field. */
function loginFailed(userId: string | null, email: string | undefined) {
  return { action: 'LOGIN_FAILED', entityId: userId, ...changedFields(null, { email }) } as const;
}
