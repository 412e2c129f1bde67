import Router from '@koa/router';
import type { State } from '../../context.ts';
import type { Pages } from '../shell/pages.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

/** The API's document as a page to browse and to try calls from. */
export function docsRoutes(pages: Pages): Router<State> {
  return new Router<State>(ROUTER).get('/docs', open(), async (ctx) => {
    await pages.showOpen(ctx, 'signIn/docs', { title: pages.texts(ctx).t('shell.docs') });
  });
}
