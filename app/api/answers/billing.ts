import { z } from 'zod';
import { CHECKOUT_STATUSES, type Checkout } from '../../../db/tables/product/checkouts.ts';
import { planLimits, PLANS, type PlanLimits } from '../../domain/plan.ts';
import { RateLimit } from '../../domain/policy.ts';
import type { PlanUse } from '../../actions/product/planUse.ts';
import { iso } from '../../domain/times.ts';

const Time = z.iso.datetime();

/** What a plan allows; null leaves a limit to the installation. */
const LimitsAnswer = z
  .strictObject({ keys: z.int().nullable(), rateLimit: RateLimit.nullable(), monthlyQuota: z.int().nullable() })
  .meta({ id: 'PlanLimits', description: 'What a plan allows. Null leaves a limit to the installation.' });

/** An order of a plan, as everyone who may see billing sees it. */
export const CheckoutAnswer = z
  .strictObject({
    id: z.uuid(),
    plan: z.string(),
    reference: z.string().nullable(),
    status: z.enum(CHECKOUT_STATUSES),
    paymentUrl: z.string().nullable(),
    createdBy: z.string().nullable(),
    createdWith: z.string().nullable(),
    createdAt: Time,
    confirmedBy: z.string().nullable(),
    confirmedAt: Time.nullable(),
  })
  .meta({ id: 'Checkout' });

/** A tenant's plan, how far it is used up, and what could be had instead. */
export const BillingAnswer = z
  .strictObject({
    plan: z.string(),
    limits: LimitsAnswer,
    usage: z.strictObject({ keys: z.int(), requestsThisMonth: z.int() }),
    pendingCheckout: CheckoutAnswer.nullable(),
    plans: z.array(z.strictObject({ id: z.string(), name: z.string(), description: z.string(), limits: LimitsAnswer })),
  })
  .meta({ id: 'Billing' });

export function presentCheckout(checkout: Checkout): z.output<typeof CheckoutAnswer> {
  return {
    id: checkout.id,
    plan: checkout.plan,
    reference: checkout.reference,
    status: checkout.status,
    paymentUrl: checkout.paymentUrl,
    createdBy: checkout.createdBy,
    createdWith: checkout.createdWith,
    createdAt: iso(checkout.createdAt),
    confirmedBy: checkout.confirmedBy,
    confirmedAt: iso(checkout.confirmedAt),
  };
}

export function presentBilling(
  plan: string,
  { keys, requestsThisMonth }: PlanUse,
  pending: Checkout | undefined,
): z.output<typeof BillingAnswer> {
  return {
    plan,
    limits: presentLimits(planLimits(plan)),
    usage: { keys, requestsThisMonth },
    pendingCheckout: pending ? presentCheckout(pending) : null,
    plans: PLANS.map(({ id, name, description, limits }) => ({
      id,
      name: name.en,
      description: description.en,
      limits: presentLimits(limits),
    })),
  };
}

function presentLimits({ keys, rateLimit, monthlyQuota }: PlanLimits): z.output<typeof LimitsAnswer> {
  return { keys, rateLimit: rateLimit && { ...rateLimit }, monthlyQuota };
}
