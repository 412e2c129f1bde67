import Router from '@koa/router';
import { z } from 'zod';
import { listAppKeys } from '../../../db/tables/apiKeys.ts';
import { listAppInstalls } from '../../../db/tables/appInstalls.ts';
import type { Db } from '../../../db/connect.ts';
import { actOf } from '../../actions/act.ts';
import { installApp } from '../../actions/installApp.ts';
import { uninstallApp } from '../../actions/uninstallApp.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { APP_IDS, findApp, type App } from '../../domain/apps.ts';
import { AppError } from '../../errors.ts';
import {
  InstalledAppAnswer,
  MarketplaceAnswer,
  presentInstalledApp,
  presentMarketplace,
  presentUninstalledApp,
  UninstalledAppAnswer,
} from '../../presenters/marketplace.ts';
import type { Services } from '../../services.ts';
import { scope } from '../access.ts';
import { answers } from '../answers.ts';
import { body } from '../input.ts';
import { ROUTER } from '../router.ts';

const Installation = z.strictObject({ app: z.enum(APP_IDS) }).meta({ examples: [{ app: 'cli' }] });

/** The apps that work with a tenant's data, each by a token of its own. */
export function marketplaceRoutes({ db, config }: Pick<Services, 'db' | 'config'>): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/marketplace',
      scope('marketplace:read'),
      answers(200, MarketplaceAnswer, 'Lists the apps, what each may do, and which are installed.'),
      async (ctx) => {
        ctx.body = presentMarketplace(await installedApps(db, principalOf(ctx).tenant.id, Date.now()));
      },
    )
    .post(
      '/marketplace/install',
      scope('marketplace:install'),
      answers(201, InstalledAppAnswer, 'Installs an app: its token is shown here and never again.', [
        'insufficient_permission',
        'conflict',
        'plan_limit',
      ]),
      body(Installation, async (ctx, { app: id }) => {
        const act = actOf(ctx, db);
        const app = appNamed(id);
        ctx.body = presentInstalledApp(app, await installApp(act, config.keys, app), act.now);
        ctx.status = 201;
      }),
    )
    .post(
      '/marketplace/:app/uninstall',
      scope('marketplace:install'),
      answers(200, UninstalledAppAnswer, 'Uninstalls an app and revokes its token; once is as good as twice.'),
      async (ctx) => {
        const app = appNamed(paramOf(ctx, 'app'));
        await uninstallApp(actOf(ctx, db), app);
        ctx.body = presentUninstalledApp(app);
      },
    );
}

/** Installed and able to work: an app whose token was revoked by hand is neither. */
async function installedApps(db: Db, tenantId: string, now: number): Promise<ReadonlySet<string>> {
  const installed = new Set((await listAppInstalls(db, tenantId)).map(({ app }) => app));
  const working = (await listAppKeys(db, tenantId, now)).map(({ app }) => app);
  return new Set(working.filter((app) => installed.has(app)));
}

function paramOf(ctx: Context, name: string): string {
  return (ctx as Context & { params?: Record<string, string | undefined> }).params?.[name] ?? '';
}

function appNamed(id: string): App {
  const app = findApp(id);
  if (!app) throw new AppError('not_found', 'There is no such app.');
  return app;
}
