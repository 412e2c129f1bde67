import Router from '@koa/router';
import { z } from 'zod';
import { countOfTenant } from '../../../db/tables/apiKeyUsageHours.ts';
import { countApiKeys } from '../../../db/tables/apiKeys.ts';
import { findPendingCheckout } from '../../../db/tables/checkouts.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import { actOf } from '../../actions/act.ts';
import { confirmCheckout } from '../../actions/confirmCheckout.ts';
import { startCheckout } from '../../actions/startCheckout.ts';
import { principalOf, type State } from '../../context.ts';
import { DEFAULT_PLAN, PLAN_IDS } from '../../domain/plan.ts';
import { confirmedByHand, type PaymentProvider } from '../../payment.ts';
import { BillingAnswer, CheckoutAnswer, presentBilling, presentCheckout } from '../../presenters/billing.ts';
import type { Services } from '../../services.ts';
import { permission, scope } from '../access.ts';
import { answers } from '../answers.ts';
import { body } from '../input.ts';
import { idOf } from '../pathId.ts';
import { ROUTER } from '../router.ts';

const Order = z
  .strictObject({
    plan: z.enum(PLAN_IDS),
    reference: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/, 'Must be 1 to 100 printable ASCII characters without spaces')
      .optional(),
  })
  .meta({ examples: [{ plan: 'pro', reference: 'order-2041' }] });

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
        const now = Date.now();
        await usage.flush();
        const plan = (await findTenant(db, id))?.plan ?? DEFAULT_PLAN;
        const used = {
          keys: await countApiKeys(db, id, { statuses: ['active'], now }),
          requestsThisMonth: await countOfTenant(db, id, { from: startOfMonth(now), to: now + 1 }),
        };
        ctx.body = presentBilling(plan, used, await findPendingCheckout(db, id));
      },
    )
    .post(
      '/billing/checkout',
      scope('billing:write'),
      answers(
        201,
        CheckoutAnswer,
        'Orders a plan, which an owner then confirms; a reference sent twice is one order.',
        ['conflict'],
      ),
      body(Order, async (ctx, order) => {
        ctx.body = presentCheckout(await startCheckout(actOf(ctx, db), provider, order));
        ctx.status = 201;
      }),
    )
    .post(
      '/billing/checkouts/:id/confirm',
      permission('billing:manage'),
      answers(200, CheckoutAnswer, 'Confirms an order, in person: from now on the limits of its plan hold.', [
        'conflict',
      ]),
      async (ctx) => {
        ctx.body = presentCheckout(await confirmCheckout(actOf(ctx, db), provider, idOf(ctx)));
      },
    );
}

/** Months are counted in UTC, as quotas are. */
function startOfMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}
