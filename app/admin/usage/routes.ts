import { Readable } from 'node:stream';
import Router from '@koa/router';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { tenantUsage } from '../../usage/tenantUsage.ts';
import type { Pages } from '../shell/pages.ts';
import { windowLinks } from '../shell/usageChart.ts';
import { keysPath } from '../keys/keyAddress.ts';
import { dayText, readPeriod, UsageQuery } from './period.ts';
import { usageCsv } from './usageCsv.ts';
import { presentUsagePage } from './view.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { addressOf } from '../../http/redirect.ts';
import { ROUTER } from '../../http/router.ts';

/** What all keys of the tenant were used for, as a page and as a CSV file. */
export function usagePages({ db, usage }: Pick<Services, 'db' | 'usage'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/usage', permission('api-keys:read'), query(UsageQuery, showUsage))
    .get('/usage/export', permission('api-keys:read'), query(UsageQuery, exportUsage));

  async function showUsage(ctx: Context, asked: UsageQuery): Promise<void> {
    const texts = pages.texts(ctx);
    const { t } = texts;
    const now = Date.now();
    const path = organisationPath(ctx, '/usage');
    const period = readPeriod(asked, now);
    if (period.problems) ctx.status = 422;
    else await usage.flush();
    const page = { title: t('usage.title'), section: 'usage', part: 'usage/_list', listed: true } as const;
    const { window, from, to } = asked;
    await pages.show(ctx, 'usage/list', {
      ...page,
      locals: {
        from,
        to,
        today: dayText(now),
        windows: windowLinks(period.problems ? undefined : period.window, t, (one) => `${path}?window=${one}`),
        ...(period.problems
          ? { problems: textsOf(period.problems, t) }
          : {
              exportPath: addressOf(`${path}/export`, { window: window ?? '', from, to }),
              ...presentUsagePage(
                await tenantUsage(db, principalOf(ctx).tenant.id, period.buckets, now),
                period.window,
                texts,
                { path, keys: keysPath(ctx) },
              ),
            }),
      },
    });
  }

  async function exportUsage(ctx: Context, asked: UsageQuery): Promise<void> {
    const period = readPeriod(asked, Date.now());
    if (period.problems) throw new AppError('invalid_query', 'query_not_understood');
    await usage.flush();
    const { id, slug } = principalOf(ctx).tenant;
    const [{ from }] = period.buckets;
    const last = (period.buckets.at(-1)?.to ?? from) - 1;
    ctx.type = 'text/csv; charset=utf-8';
    ctx.attachment(`usage-${slug}-${dayText(from)}-${dayText(last)}.csv`);
    ctx.body = Readable.from(usageCsv(db, id, period.buckets));
  }
}

function textsOf(
  problems: Record<string, { key: string; values?: Record<string, string | number> }>,
  t: (key: string, values?: Record<string, string | number>) => string,
) {
  return Object.fromEntries(Object.entries(problems).map(([field, { key, values }]) => [field, t(key, values)]));
}
