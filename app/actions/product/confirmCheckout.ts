import { transaction, type Db } from '../../../db/connection/connect.ts';
import { findCheckout, updateCheckout, type Checkout } from '../../../db/tables/product/checkouts.ts';
import { changeTenant, lockTenant } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import type { PaymentProvider } from './payment.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/**
 * Confirms an order: the tenant is on the plan and its limits hold once this returns. Only a person with
 * `billing:manage` may; a second confirmation changes nothing.
 */
export async function confirmCheckout(act: ActionContext, provider: PaymentProvider, id: string): Promise<Checkout> {
  requireBillingManager(act);
  const ordered = await requireCheckout(act.db, act, id);
  if (ordered.status === 'pending' && !(await provider.isSettled(ordered))) {
    throw new AppError('conflict', 'checkout_not_paid');
  }
  return transaction(act.db, async (trx) => {
    const tenant = await lockTenant(trx, act.tenantId);
    const checkout = await requireCheckout(trx, act, id);
    if (checkout.status === 'confirmed') return checkout;
    if (checkout.status === 'cancelled' || !tenant) {
      throw new AppError('conflict', 'checkout_cancelled');
    }
    const confirmed: Checkout = {
      ...checkout,
      status: 'confirmed',
      updatedAt: act.now,
      confirmedBy: act.actor.id,
      confirmedAt: act.now,
    };
    await updateCheckout(trx, confirmed);
    await changeTenant(trx, act.tenantId, { plan: checkout.plan }, act.now);
    await recordAuditEvent(trx, act, {
      action: 'CHECKOUT_CONFIRMED',
      entityId: id,
      ...changedFields({ plan: tenant.plan }, { plan: checkout.plan }),
    });
    return confirmed;
  });
}

/** The route requires the same permission; this also covers other callers of the action. */
function requireBillingManager({ principal }: ActionContext): void {
  if (!principal || (principal.type === 'user' && principal.permissions.has('billing:manage'))) return;
  throw new AppError('insufficient_permission', 'confirm_takes_a_person');
}

async function requireCheckout(db: Db, { tenantId }: ActionContext, id: string): Promise<Checkout> {
  const checkout = await findCheckout(db, tenantId, id);
  if (!checkout) throw new AppError('not_found', 'no_such_checkout');
  return checkout;
}
