import Router from '@koa/router';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { firstAllowedPage } from '../shell/frame.ts';
import type { Pages } from '../shell/pages.ts';
import { anyCredential } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';

/** Redirects to the first section that the person may open, mostly the keys: of this organisation, or of the one used last. */
export function frontRoutes(pages: Pages, routes: () => readonly Route[]): Router<State> {
  return new Router<State>(ROUTER).get('/front', anyCredential(), lead).get('/org/:slug', anyCredential(), lead);

  async function lead(ctx: Context): Promise<void> {
    const principal = principalOf(ctx);
    const path = principal.type === 'user' ? firstAllowedPage(principal, routes()) : undefined;
    if (path === undefined) throw new AppError('insufficient_permission');
    pages.redirect(ctx, path);
  }
}
