import Router from '@koa/router';
import { actionContext } from '../../actions/actionContext.ts';
import { leaveTenant } from '../../actions/people/leaveTenant.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { SAMPLE_PERMISSIONS, type Permission } from '../../domain/role.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, formErrors } from '../shell/formErrors.ts';
import type { Services } from '../../services.ts';
import { anyCredential } from '../../http/access.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';
import type { AppError } from '../../errors.ts';

const home = (ctx: Context) => organisationPath(ctx, '/membership');

/** The reader's own membership of the current organisation, which they can end. */
export function membershipPages({ db, config }: Pick<Services, 'db' | 'config'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/membership', anyCredential(), async (ctx) => show(ctx))
    .get('/membership/leave', anyCredential(), async (ctx) => {
      const { t } = pages.texts(ctx);
      const tenant = tenantName(ctx);
      await askConfirmation(pages, ctx, undefined, {
        title: t('membership.leave_title', { tenant }),
        lines: [t('membership.leave_text', { tenant }), t('membership.leave_keys')],
        action: `${home(ctx)}/leave`,
        submit: t('membership.leave'),
        keep: t('membership.stay'),
        back: home(ctx),
        danger: true,
      });
    })
    .post('/membership/leave', anyCredential(), async (ctx) => {
      const tenant = tenantName(ctx);
      const outcome = await recoverable(async () => leaveTenant(actionContext(ctx, db), principalOf(ctx).id));
      if ('refusal' in outcome) await show(ctx, outcome.refusal);
      else pages.redirect(ctx, '/', { text: 'membership.left', values: { tenant } });
    });

  async function show(ctx: Context, refusal?: AppError): Promise<void> {
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const { role, permissions } = principalOf(ctx) as { role: string; permissions?: ReadonlySet<Permission> };
    const locals = {
      role,
      permissions: [...(permissions ?? [])].filter((one) => config.sampleProduct || !SAMPLE_PERMISSIONS.has(one)),
      refused: refusal && formErrors(words, refusal, {}),
    };
    await pages.show(ctx, 'members/membership', { title: words.t('membership.title'), locals, here: home(ctx) });
  }

  function tenantName(ctx: Context): string {
    const { tenant } = principalOf(ctx);
    return ctx.state.belongings?.find((one) => one.tenant.id === tenant.id)?.tenant.name ?? tenant.slug;
  }
}
