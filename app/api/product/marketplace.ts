import Router from '@koa/router';
import { z } from 'zod';
import { actionContext } from '../../actions/actionContext.ts';
import { installApp } from '../../actions/product/installApp.ts';
import { uninstallApp } from '../../actions/product/uninstallApp.ts';
import { principalOf, type State } from '../../context.ts';
import { APP_IDS } from '../../domain/apps.ts';
import { installedApps } from '../../actions/product/installedApps.ts';
import { answerMade } from '../answerMade.ts';
import {
  InstalledAppAnswer,
  MarketplaceAnswer,
  presentInstalledApp,
  presentMarketplace,
  presentUninstalledApp,
  UninstalledAppAnswer,
} from '../answers/marketplace.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { appNamed } from '../../inputs/appNamed.ts';
import { answers } from '../../http/answers.ts';
import { makes } from '../../http/idempotency.ts';
import { body } from '../../http/input.ts';
import { pathParam } from '../../http/pathId.ts';
import { ROUTER } from '../../http/router.ts';

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
      makes(db),
      answers(201, InstalledAppAnswer, 'Installs an app: its token is shown here and never again.', [
        'insufficient_permission',
        'conflict',
        'plan_limit',
      ]),
      body(Installation, async (ctx, { app: id }) => {
        const app = appNamed(id);
        await answerMade(
          ctx,
          db,
          async (act) => installApp(act, config.keys, app),
          (issued, { now }) => ({ path: `/api-keys/${issued.key.id}`, ...presentInstalledApp(app, issued, now) }),
        );
      }),
    )
    .post(
      '/marketplace/:app/uninstall',
      scope('marketplace:install'),
      answers(200, UninstalledAppAnswer, 'Uninstalls an app and revokes its token; once is as good as twice.'),
      async (ctx) => {
        const app = appNamed(pathParam(ctx, 'app'));
        await uninstallApp(actionContext(ctx, db), app);
        ctx.body = presentUninstalledApp(app);
      },
    );
}
