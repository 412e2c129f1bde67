import Router from '@koa/router';
import { assets } from '../../assets.ts';
import type { State } from '../../context.ts';
import { open } from '../access.ts';
import { ROUTER } from '../router.ts';

/** The API's document as a page to browse and to try calls from. */
export function docsRoutes(): Router<State> {
  const addresses = {
    icon: assets().address('favicon.svg'),
    styles: ['swagger-ui.css', 'docs.css'].map((name) => assets().address(name)),
    scripts: ['swagger-ui-bundle.js', 'docs.js'].map((name) => assets().address(name)),
  };
  return new Router<State>(ROUTER).get('/docs', open(), async (ctx) => {
    await ctx.render('docs', addresses);
  });
}
