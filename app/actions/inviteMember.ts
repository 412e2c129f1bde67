import { findUserByEmail } from '../../db/tables/users.ts';
import { firstPassword } from '../people/firstPassword.ts';
import type { Act } from './act.ts';
import { addMember, type MemberInput } from './addMember.ts';
import { createUser } from './createUser.ts';

export interface Invitation extends MemberInput {
  /** In its one spelling. */
  email: string;
  /** For somebody new, whom their email suggests one for otherwise. */
  name?: string | undefined;
}

export interface Invited {
  userId: string;
  /** To be told once; null for somebody who has an account and signs in as ever. */
  password: string | null;
}

/**
 * Takes a person into the act's tenant by their email, with an account of their own where they have none yet. Whoever may
 * not is told so first, in the same words whether the email is known or not.
 */
export async function inviteMember(act: Act, { email, name, ...membership }: Invitation): Promise<Invited> {
  const known = await findUserByEmail(act.db, email);
  if (known) {
    await addMember(act, known.id, membership);
    return { userId: known.id, password: null };
  }
  const password = firstPassword();
  const { id } = await createUser(act, { email, name: name ?? nameIn(email), password, membership });
  return { userId: id, password };
}

function nameIn(email: string): string {
  return email.slice(0, email.lastIndexOf('@')).slice(0, 100);
}
