import { transaction } from '../../../db/connection/connect.ts';
import { findCheckout, updateCheckout, type Checkout } from '../../../db/tables/product/checkouts.ts';
import { lockTenant } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** Withdraws an order that nobody has confirmed yet, so that nobody can any more; a second withdrawal changes nothing. */
export async function withdrawCheckout(act: ActionContext, id: string): Promise<Checkout> {
  return transaction(act.db, async (trx) => {
    await lockTenant(trx, act.tenantId);
    const checkout = await findCheckout(trx, act.tenantId, id);
    if (!checkout) throw new AppError('not_found', 'no_such_checkout');
    if (checkout.status === 'cancelled') return checkout;
    if (checkout.status === 'confirmed') throw new AppError('conflict', 'checkout_confirmed');
    const withdrawn: Checkout = { ...checkout, status: 'cancelled', updatedAt: act.now };
    await updateCheckout(trx, withdrawn);
    await recordAuditEvent(trx, act, {
      action: 'CHECKOUT_WITHDRAWN',
      entityId: id,
      ...changedFields({ plan: checkout.plan, reference: checkout.reference ?? undefined }, null),
    });
    return withdrawn;
  });
}
