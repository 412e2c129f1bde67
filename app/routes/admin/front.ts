import Router from '@koa/router';
import { principalOf, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { firstOpen } from '../../pages/frame.ts';
import type { Pages } from '../../pages/pages.ts';
import { anyCredential } from '../access.ts';
import { ROUTER } from '../router.ts';
import type { Route } from '../table.ts';

/** Leads whoever is signed in to the first part of the admin that opens to them: the keys, for most. */
export function frontRoutes(pages: Pages, routes: () => readonly Route[]): Router<State> {
  return new Router<State>(ROUTER).get('/front', anyCredential(), async (ctx) => {
    const principal = principalOf(ctx);
    const path = principal.type === 'user' ? firstOpen(principal, routes()) : undefined;
    if (path === undefined) throw new AppError('insufficient_permission');
    pages.lead(ctx, path);
  });
}
