import Router from '@koa/router';
import type { State } from '../../context.ts';
import type { Pages } from '../../pages/pages.ts';
import { permission } from '../access.ts';
import { ROUTER } from '../router.ts';

/** The pages of keys. */
export function apiKeyPages(pages: Pages): Router<State> {
  return new Router<State>(ROUTER).get('/api-keys', permission('api-keys:read'), async (ctx) => {
    const { t } = pages.texts(ctx);
    await pages.show(ctx, 'apiKeys/list', { title: t('keys.title'), section: 'keys' });
  });
}
