import { systemContext } from '../../app/actions/actionContext.ts';
import { makeResetLink } from '../../app/actions/people/resetPassword.ts';
import type { Answer } from './http.ts';
import type { TestServer } from './server.ts';
import type { Visitor } from './visitor.ts';

/** Makes a link to choose a new password, as the operator's tool does, and gives its token. */
export async function resetLinkFor(
  { services: { db } }: Pick<TestServer, 'services'>,
  email: string,
): Promise<{ token: string }> {
  const { id } = await db('users').where({ email }).first<{ id: string }>('id');
  return makeResetLink(systemContext(db, ''), id);
}

/** Follows the link as a browser does, and gives the page behind it. */
export async function openReset(visitor: Visitor, token: string): Promise<Answer> {
  await visitor.get(`/reset?token=${token}`);
  return visitor.get('/reset');
}
