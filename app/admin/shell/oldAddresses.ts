import Router from '@koa/router';
import type { State } from '../../context.ts';
import { anyCredential } from '../../http/access.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';
import type { Pages } from './pages.ts';

/** The pages that stood right below `/admin` before their addresses named the organisation, and what they are called now. */
const MOVED = {
  'api-keys': '/api-keys',
  usage: '/usage',
  'audit-logs': '/audit-logs',
  routes: '/routes',
  security: '/settings',
  members: '/members',
  membership: '/membership',
};
const MOVED_OF_SAMPLE_PRODUCT = { marketplace: '/marketplace', billing: '/billing', tickets: '/tickets' };

/** Redirects addresses from before to the same page of the organisation used last, for bookmarks and old messages. */
export function oldAddresses(pages: Pages, { sampleProduct }: { sampleProduct: boolean }): Router<State> {
  const router = new Router<State>(ROUTER);
  const moved = { ...MOVED, ...(sampleProduct && MOVED_OF_SAMPLE_PRODUCT) };
  for (const [segment, page] of Object.entries(moved)) {
    const old = `/${segment}`;
    router.get([old, `${old}/*rest`], anyCredential(), async (ctx) => {
      const rest = ctx.path.slice(`/admin${old}`.length);
      pages.redirect(ctx, organisationPath(ctx, page + rest) + ctx.search);
    });
  }
  return router;
}
