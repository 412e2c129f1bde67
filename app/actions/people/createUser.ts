import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { findUserByEmail, insertUser } from '../../../db/tables/people/users.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { passwordProblem, passwordFault } from '../../domain/password.ts';
import { AppError } from '../../errors.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { insertMember, refuseMembershipBeyondOwn, type MemberInput } from './addMember.ts';
import { recordAuditEvent } from '../auditRecord.ts';

export interface UserInput {
  /** Normalised by `normaliseEmail`. */
  email: string;
  name: string;
  /** Null for a person who signs in through an identity provider. */
  password: string | null;
  operator?: boolean | undefined;
  /** Whether an operator vouches that the account belongs to the owner of the email. */
  vouched?: boolean | undefined;
  /** The membership of the tenant that the person gets. */
  membership?: MemberInput | undefined;
}

export interface CreatedUser {
  id: string;
  email: string;
  name: string;
}

/** Creates a person and, if asked, their membership of the tenant; an email that has an account is 409. */
export async function createUser(act: ActionContext, input: UserInput): Promise<CreatedUser> {
  if (input.membership) refuseMembershipBeyondOwn(act, input.membership);
  const passwordHash = await acceptedPassword(input.password, input.email);
  try {
    return await transaction(act.db, async (trx) => {
      if (await findUserByEmail(trx, input.email)) throw emailTaken();
      return addUser(trx, act, newId(), { ...input, passwordHash });
    });
  } catch (error) {
    throw isDuplicate(error) ? emailTaken(error) : error;
  }
}

/**
 * Creates a person in a transaction of the caller, who chose the id and hashed the password before, since hashing is
 * slow.
 */
export async function addUser(
  trx: Db,
  act: ActionContext,
  id: string,
  {
    email,
    name,
    passwordHash,
    operator = false,
    vouched = false,
    membership,
  }: Omit<UserInput, 'password'> & { passwordHash: string | null },
): Promise<CreatedUser> {
  await insertUser(trx, { id, email, name, passwordHash, operator, vouched }, act.now);
  await recordAuditEvent(trx, act, {
    action: 'USER_CREATED',
    entityId: id,
    ...changedFields(null, { email, name, ...(operator && { operator }) }),
  });
  if (membership) await insertMember(trx, act, { id, email }, membership);
  return { id, email, name };
}

async function acceptedPassword(password: string | null, email: string): Promise<string | null> {
  if (password === null) return null;
  const problem = passwordProblem(password, email);
  if (problem) {
    throw new AppError('invalid_input', 'password_unfit', {
      errors: [{ path: 'password', problem: passwordFault(problem) }],
    });
  }
  return hashPassword(password);
}

function emailTaken(cause?: unknown): AppError {
  return new AppError('conflict', 'email_taken', { cause });
}
