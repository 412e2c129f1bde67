import Router from '@koa/router';
import { z } from 'zod';
import { principalOf, type State } from '../../context.ts';
import { STATS_PERIODS } from '../../domain/statsPeriod.ts';
import { tenantUsage } from '../../usage/tenantUsage.ts';
import type { Pages } from '../shell/pages.ts';
import { windowLinks } from '../shell/usageChart.ts';
import { presentUsagePage } from './view.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';

const UsageQuery = z.strictObject({ window: z.enum(STATS_PERIODS).default('7d') });

/** What all keys of the tenant were used for. */
export function usagePages({ db, usage }: Pick<Services, 'db' | 'usage'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER).get(
    '/usage',
    permission('api-keys:read'),
    query(UsageQuery, async (ctx, { window }) => {
      const { t, locale } = pages.texts(ctx);
      await usage.flush();
      const used = await tenantUsage(db, principalOf(ctx).tenant.id, window, Date.now());
      const windows = windowLinks(window, t, (one) => `${organisationPath(ctx, '/usage')}?window=${one}`);
      const locals = { ...presentUsagePage(used, locale), windows };
      const page = { title: t('usage.title'), section: 'usage', part: 'usage/_list', listed: true } as const;
      await pages.show(ctx, 'usage/list', { ...page, locals });
    }),
  );
}
