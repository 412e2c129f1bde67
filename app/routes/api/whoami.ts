import Router from '@koa/router';
import { principalOf, type State } from '../../context.ts';
import { PrincipalAnswer, presentPrincipal } from '../../presenters/principal.ts';
import { anyCredential } from '../access.ts';
import { answers } from '../answers.ts';
import { ROUTER } from '../router.ts';

/** Tells a caller who they are: the first thing to try with a new key or token. */
export function whoamiRoutes(): Router<State> {
  return new Router<State>(ROUTER).get(
    '/whoami',
    anyCredential(),
    answers(200, PrincipalAnswer, 'Says who the credential is, for which tenant, and what it may do.'),
    async (ctx) => {
      ctx.body = presentPrincipal(principalOf(ctx));
    },
  );
}
