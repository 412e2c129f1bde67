import Router from '@koa/router';
import { findCheckout, findPendingCheckout } from '../../../db/tables/product/checkouts.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { confirmCheckout } from '../../actions/product/confirmCheckout.ts';
import { startCheckout } from '../../actions/product/startCheckout.ts';
import { withdrawCheckout } from '../../actions/product/withdrawCheckout.ts';
import { principalOf, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { planUse } from '../../actions/product/planUse.ts';
import { confirmedByHand, type PaymentProvider } from '../../actions/product/payment.ts';
import { answerMade } from '../answerMade.ts';
import { BillingAnswer, CheckoutAnswer, presentBilling, presentCheckout } from '../answers/billing.ts';
import type { Services } from '../../services.ts';
import { permission, scope } from '../../http/access.ts';
import { answers } from '../../http/answers.ts';
import { makes } from '../../http/idempotency.ts';
import { body } from '../../http/input.ts';
import { Order } from '../../inputs/orderInput.ts';
import { pathId } from '../../http/pathId.ts';
import { ROUTER } from '../../http/router.ts';

/** What a tenant pays for: its plan, and the order of another one. */
export function billingRoutes(
  { db, usage }: Pick<Services, 'db' | 'usage'>,
  provider: PaymentProvider = confirmedByHand,
): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/billing',
      scope('billing:read'),
      answers(200, BillingAnswer, 'Shows the plan, how far it is used up, and an order that waits for an owner.'),
      async (ctx) => {
        const { id } = principalOf(ctx).tenant;
        await usage.flush();
        const { plan, used } = await planUse(db, id, Date.now());
        ctx.body = presentBilling(plan, used, await findPendingCheckout(db, id));
      },
    )
    .post(
      '/billing/checkout',
      scope('billing:write'),
      makes(db),
      answers(
        201,
        CheckoutAnswer,
        'Orders a plan, which an owner then confirms; a reference sent twice is one order.',
        ['conflict'],
      ),
      body(Order, async (ctx, order) =>
        answerMade(
          ctx,
          db,
          async (act) => startCheckout(act, provider, order),
          (checkout) => ({ path: `/billing/checkouts/${checkout.id}`, body: presentCheckout(checkout) }),
        ),
      ),
    )
    .get(
      '/billing/checkouts/:id',
      scope('billing:read'),
      answers(200, CheckoutAnswer, 'Shows an order of a plan, and what became of it.'),
      async (ctx) => {
        const checkout = await findCheckout(db, principalOf(ctx).tenant.id, pathId(ctx));
        if (!checkout) throw new AppError('not_found', 'no_such_order');
        ctx.body = presentCheckout(checkout);
      },
    )
    .post(
      '/billing/checkouts/:id/withdraw',
      scope('billing:write'),
      answers(
        200,
        CheckoutAnswer,
        'Withdraws an order that nobody has confirmed: its plan cannot be had by it any more.',
        ['conflict'],
      ),
      async (ctx) => {
        ctx.body = presentCheckout(await withdrawCheckout(actionContext(ctx, db), pathId(ctx)));
      },
    )
    .post(
      '/billing/checkouts/:id/confirm',
      permission('billing:manage'),
      answers(200, CheckoutAnswer, 'Confirms an order, in person: from now on the limits of its plan hold.', [
        'conflict',
      ]),
      async (ctx) => {
        ctx.body = presentCheckout(await confirmCheckout(actionContext(ctx, db), provider, pathId(ctx)));
      },
    );
}
