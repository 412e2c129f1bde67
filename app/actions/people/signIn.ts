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
  /** Their memberships, the oldest first. */
  belongings: Belonging[];
}

/** Stands in for an unknown email, so that it costs the same work as a known one. */
const UNKNOWN_USER = { id: 'nobody', passwordHash: null, status: 'disabled' } as const;

/**
 * Signs a person in by email and password; gives undefined, after the same work, for a wrong password, an unknown email
 * and a disabled account. The audit log of the person's oldest tenant records success and failure.
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

/** Records in the audit log that a person has signed in. */
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

/**
 * The log keeps a failed login's email so that owners recognise guessing; text that is no email may be a pasted secret.
 */
function loginFailed(userId: string | null, email: string | undefined) {
  return { action: 'LOGIN_FAILED', entityId: userId, ...changedFields(null, { email }) } as const;
}
