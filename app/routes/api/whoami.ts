import Router from '@koa/router';
import { principalOf, type State } from '../../context.ts';
import { presentPrincipal } from '../../presenters/principal.ts';
import { anyCredential } from '../access.ts';
import { ROUTER } from '../router.ts';

/** Tells a caller who they are: the first thing to try with a new key or token. */
export function whoamiRoutes(): Router<State> {
  return new Router<State>(ROUTER).get('/whoami', anyCredential(), async (ctx) => {
    ctx.body = presentPrincipal(principalOf(ctx));
  });
}
