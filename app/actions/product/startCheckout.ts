import { transaction, type Db } from '../../../db/connection/connect.ts';
import {
  findCheckoutByReference,
  findPendingCheckout,
  insertCheckout,
  updateCheckout,
  type Checkout,
} from '../../../db/tables/product/checkouts.ts';
import { lockTenant } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import type { PlanId } from '../../domain/plan.ts';
import { AppError } from '../../errors.ts';
import type { PaymentProvider } from './payment.ts';
import { creatorOf, type ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

export interface Order {
  plan: PlanId;
  /** The caller's own id for the order; the same reference sent twice makes one order. */
  reference?: string | undefined;
}

/**
 * Orders a plan, which changes nothing until an owner confirms it. The same reference finds the same checkout in any
 * state; a new order replaces one that is still pending.
 */
export async function startCheckout(act: ActionContext, provider: PaymentProvider, order: Order): Promise<Checkout> {
  const known = await sameOrder(act.db, act, order);
  if (known) return transaction(act.db, async (trx) => makeOnce(trx, act, async () => known));
  const { plan, reference = null } = order;
  const wanted = { id: newId(), tenantId: act.tenantId, plan, reference };
  const { paymentUrl } = await provider.begin(wanted);
  const start = async (trx: Db) => {
    const tenant = await lockTenant(trx, act.tenantId);
    if (!tenant) throw new AppError('not_found', 'no_such_tenant');
    const sameAtOnce = await sameOrder(trx, act, order);
    if (sameAtOnce) return sameAtOnce;
    if (tenant.plan === plan) throw new AppError('conflict', 'plan_is_current');
    const replaced = await cancelPending(trx, act);
    const checkout: Checkout = {
      ...wanted,
      status: 'pending',
      provider: provider.name,
      paymentUrl,
      ...creatorOf(act),
      createdAt: act.now,
      updatedAt: act.now,
      confirmedBy: null,
      confirmedAt: null,
    };
    await insertCheckout(trx, checkout);
    await recordAuditEvent(trx, act, {
      action: 'CHECKOUT_STARTED',
      entityId: checkout.id,
      ...changedFields(null, { plan, reference: reference ?? undefined, replaces: replaced?.id }),
    });
    return checkout;
  };
  return transaction(act.db, async (trx) => makeOnce(trx, act, async () => start(trx)));
}

async function sameOrder(
  db: Db,
  { tenantId }: ActionContext,
  { plan, reference }: Order,
): Promise<Checkout | undefined> {
  const known = reference === undefined ? undefined : await findCheckoutByReference(db, tenantId, reference);
  if (known && known.plan !== plan) {
    throw new AppError('conflict', 'reference_of_other_plan');
  }
  return known;
}

async function cancelPending(trx: Db, { tenantId, now }: ActionContext): Promise<Checkout | undefined> {
  const pending = await findPendingCheckout(trx, tenantId);
  if (pending) await updateCheckout(trx, { ...pending, status: 'cancelled', updatedAt: now });
  return pending;
}
