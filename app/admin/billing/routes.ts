import Router from '@koa/router';
import { countWorkingKeys } from '../../../db/tables/keys/apiKeys.ts';
import { findPendingCheckout } from '../../../db/tables/product/checkouts.ts';
import { findUser } from '../../../db/tables/people/users.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { confirmCheckout } from '../../actions/product/confirmCheckout.ts';
import { startCheckout } from '../../actions/product/startCheckout.ts';
import { withdrawCheckout } from '../../actions/product/withdrawCheckout.ts';
import { holdsScope } from '../../auth/authority.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { planNamed } from '../../domain/plan.ts';
import { formOf } from '../../auth/csrf.ts';
import { planUse } from '../../actions/product/planUse.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { optionalField, recoverable, readFields, formErrors, type FormErrors } from '../shell/formErrors.ts';
import { confirmedByHand, type PaymentProvider } from '../../actions/product/payment.ts';
import { presentBillingPage } from './view.ts';
import type { Services } from '../../services.ts';
import { permission, scope } from '../../http/access.ts';
import { Order } from '../../inputs/orderInput.ts';
import { pathId } from '../../http/pathId.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';

const home = (ctx: Context) => organisationPath(ctx, '/billing');

/** The tenant's plan, how far it is used up, and the order of another one. */
export function billingPages(
  { db, usage }: Pick<Services, 'db' | 'usage'>,
  pages: Pages,
  provider: PaymentProvider = confirmedByHand,
): Router<State> {
  return new Router<State>(ROUTER)
    .get('/billing', scope('billing:read'), async (ctx) => showPlan(ctx))
    .post('/billing', scope('billing:write'), async (ctx) => {
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const order = readFields(Order, { plan: form.get('plan'), reference: optionalField(form, 'reference') });
        return startCheckout(actionContext(ctx, db), provider, order);
      });
      if ('done' in outcome) {
        pages.redirect(ctx, home(ctx), {
          text: 'billing.ordered',
          values: { plan: planNamed(outcome.done.plan, pages.texts(ctx).locale) },
        });
        return;
      }
      ctx.status = outcome.refusal.status;
      await showPlan(ctx, formErrors(pages.texts(ctx), outcome.refusal, {}));
    })
    .post('/billing/checkouts/:id/withdraw', scope('billing:write'), async (ctx) => {
      const outcome = await recoverable(async () => withdrawCheckout(actionContext(ctx, db), pathId(ctx)));
      if ('done' in outcome) {
        const plan = planNamed(outcome.done.plan, pages.texts(ctx).locale);
        pages.redirect(ctx, home(ctx), { text: 'billing.withdrawn', values: { plan } });
        return;
      }
      pages.redirect(ctx, home(ctx), { text: 'billing.gone', kind: 'warning' });
    })
    .get('/billing/checkouts/:id/confirm', permission('billing:manage'), async (ctx) => {
      const { t, locale } = pages.texts(ctx);
      const id = pathId(ctx);
      const pending = await findPendingCheckout(db, principalOf(ctx).tenant.id);
      if (pending?.id !== id) {
        pages.redirect(ctx, home(ctx), { text: 'billing.gone', kind: 'warning' });
        return;
      }
      const plan = planNamed(pending.plan, locale);
      await askConfirmation(pages, ctx, 'billing', {
        title: t('billing.confirm_title', { plan }),
        lines: [t('billing.confirm_text', { plan }), t('billing.confirm_more')],
        action: `${home(ctx)}/checkouts/${id}/confirm`,
        submit: t('billing.confirm'),
        keep: t('ui.cancel'),
        back: home(ctx),
      });
    })
    .post('/billing/checkouts/:id/confirm', permission('billing:manage'), async (ctx) => {
      const outcome = await recoverable(async () => confirmCheckout(actionContext(ctx, db), provider, pathId(ctx)));
      if ('done' in outcome) {
        pages.redirect(ctx, home(ctx), {
          text: 'billing.confirmed',
          values: { plan: planNamed(outcome.done.plan, pages.texts(ctx).locale) },
        });
        return;
      }
      ctx.status = outcome.refusal.status;
      await showPlan(ctx, formErrors(pages.texts(ctx), outcome.refusal, {}));
    });

  async function showPlan(ctx: Context, refused?: FormErrors): Promise<void> {
    const principal = principalOf(ctx);
    const { t, locale } = pages.texts(ctx);
    await usage.flush();
    const now = Date.now();
    const { plan, used } = await planUse(db, principal.tenant.id, now);
    const working = await countWorkingKeys(db, principal.tenant.id, now);
    const pending = await findPendingCheckout(db, principal.tenant.id);
    const orderer = pending?.createdBy ? await findUser(db, pending.createdBy) : undefined;
    const locals = {
      ...presentBillingPage({ plan, used, working, pending, orderedBy: orderer?.name }, locale),
      mayOrder: holdsScope(principal, 'billing:write'),
      mayConfirm: principal.type === 'user' && principal.permissions.has('billing:manage'),
      refused,
    };
    await pages.show(ctx, 'billing/plan', { title: t('billing.title'), section: 'billing', locals, here: home(ctx) });
  }
}
