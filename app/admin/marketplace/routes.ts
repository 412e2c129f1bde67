import Router from '@koa/router';
import { actionContext } from '../../actions/actionContext.ts';
import { installApp } from '../../actions/product/installApp.ts';
import { uninstallApp } from '../../actions/product/uninstallApp.ts';
import { holdsScope } from '../../auth/authority.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import type { App } from '../../domain/apps.ts';
import { formOf } from '../../auth/csrf.ts';
import { installedApps } from '../../actions/product/installedApps.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import { requestOrigin, whoamiCurl } from '../shell/curl.ts';
import { isPartial } from '../../http/redirect.ts';
import { idempotentForm } from '../shell/idempotentForm.ts';
import { recoverable, formErrors, type FormErrors } from '../shell/formErrors.ts';
import type { Pages } from '../shell/pages.ts';
import { presentMarketplacePage } from './view.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { appNamed } from '../../inputs/appNamed.ts';
import { pathParam } from '../../http/pathId.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';

const home = (ctx: Context) => organisationPath(ctx, '/marketplace');

/** The apps that work with the tenant's data; the token of a new one is shown by the answer to its install alone. */
export function marketplacePages({ db, config }: Pick<Services, 'db' | 'config'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/marketplace', scope('marketplace:read'), async (ctx) => showApps(ctx))
    .post(
      '/marketplace',
      scope('marketplace:install'),
      idempotentForm(db, pages, { section: 'marketplace', home: '/marketplace' }, async (ctx, act) => {
        const app = appNamed(formOf(ctx).get('app') ?? '');
        const outcome = await recoverable(async () => installApp(act, config.keys, app));
        if ('done' in outcome) return showToken(ctx, app, outcome.done.text);
        // htmx shows the problem over the current page; a whole page shows it above the apps.
        if (isPartial(ctx)) throw outcome.refusal;
        ctx.status = outcome.refusal.status;
        await showApps(ctx, formErrors(pages.texts(ctx), outcome.refusal, {}));
      }),
    )
    .get('/marketplace/:app/uninstall', scope('marketplace:install'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, name } = appNamed(pathParam(ctx, 'app'));
      await askConfirmation(pages, ctx, 'marketplace', {
        title: t('marketplace.uninstall_title', { app: name }),
        lines: [t('marketplace.uninstall_text'), t('marketplace.uninstall_final')],
        action: `${home(ctx)}/${id}/uninstall`,
        submit: t('marketplace.uninstall'),
        keep: t('marketplace.keep'),
        back: home(ctx),
        danger: true,
      });
    })
    .post('/marketplace/:app/uninstall', scope('marketplace:install'), async (ctx) => {
      const app = appNamed(pathParam(ctx, 'app'));
      await uninstallApp(actionContext(ctx, db), app);
      pages.redirect(ctx, home(ctx), { text: 'marketplace.uninstalled', values: { app: app.name } });
    });

  async function showApps(ctx: Context, refused?: FormErrors): Promise<void> {
    const principal = principalOf(ctx);
    const texts = pages.texts(ctx);
    const installed = await installedApps(db, principal.tenant.id, Date.now());
    const mayInstall = holdsScope(principal, 'marketplace:install');
    const locals = { apps: presentMarketplacePage(installed, texts), mayInstall, refused };
    await pages.show(ctx, 'marketplace/list', { title: texts.t('marketplace.title'), section: 'marketplace', locals });
  }

  async function showToken(ctx: Context, app: App, token: string): Promise<void> {
    const { t } = pages.texts(ctx);
    const once = {
      title: t('marketplace.token_title', { app: app.name }),
      warning: t('marketplace.token_warning'),
      label: t('marketplace.token'),
      value: token,
      commandLabel: t('marketplace.try'),
      command: whoamiCurl(requestOrigin(ctx, config.publicUrl), token),
      copied: t('marketplace.copied'),
      back: home(ctx),
    };
    const page = { title: once.title, section: 'marketplace', part: 'shell/_reveal', here: home(ctx) } as const;
    await pages.show(ctx, 'shell/reveal', { ...page, locals: { once } });
  }
}
