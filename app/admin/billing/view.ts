import type { Checkout } from '../../../db/tables/product/checkouts.ts';
import type { Locale } from '../../domain/locale.ts';
import { planLimits, planNamed, PLANS } from '../../domain/plan.ts';
import type { PlanUse } from '../../actions/product/planUse.ts';

interface State {
  plan: string;
  used: PlanUse;
  /** Keys that work, replaced ones in their grace period among them, which do not count towards the plan. */
  working: number;
  pending: Checkout | undefined;
  /** Undefined if a key ordered, or a person who has left. */
  orderedBy: string | undefined;
}

/** The plan, its limits and how far they are used up, what waits to be confirmed, and what else could be had. */
export function presentBillingPage({ plan, used, working, pending, orderedBy }: State, locale: Locale) {
  const limits = planLimits(plan);
  return {
    plan: { id: plan, name: planNamed(plan, locale), limits },
    used: { ...used, working, keysShare: limits.keys === null ? null : Math.min(100, (used.keys / limits.keys) * 100) },
    pending: pending && {
      id: pending.id,
      plan: planNamed(pending.plan, locale),
      reference: pending.reference,
      createdAt: pending.createdAt,
      orderedBy,
      paymentUrl: pending.paymentUrl,
    },
    plans: PLANS.map(({ id, name, description, limits }) => ({
      id,
      name: name[locale],
      description: description[locale],
      limits,
      current: id === plan,
      waiting: id === pending?.plan,
    })),
  };
}
