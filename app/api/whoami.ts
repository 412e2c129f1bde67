import Router from '@koa/router';
import { findUser, type User } from '../../db/tables/people/users.ts';
import { principalOf, type Principal, type State } from '../context.ts';
import { PrincipalAnswer, presentPrincipal } from './answers/principal.ts';
import type { Services } from '../services.ts';
import { anyCredential } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { afterwards } from '../http/compose.ts';
import { ROUTER } from '../http/router.ts';

/** Tells a caller who they are: the first thing to try with a new key or token. */
export function whoamiRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER).get(
    '/whoami',
    anyCredential(),
    answers(200, PrincipalAnswer, 'Says who the credential is, for which tenant, and what it may do.'),
    (ctx) => {
      const principal = principalOf(ctx);
      const person = personOfKey(db, principal);
      return afterwards(person, (found) => {
        ctx.body = presentPrincipal(principal, found);
      });
    },
  );
}

/** The person a key belongs to, read only where an answer names them: the check of a key does without name and email. */
export function personOfKey(db: Services['db'], principal: Principal): Promise<User | undefined> | undefined {
  if (principal.type !== 'api_key' || principal.owner === null) return undefined;
  return findUser(db, principal.owner.id);
}
