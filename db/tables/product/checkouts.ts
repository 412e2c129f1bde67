import type { Db } from '../../connection/connect.ts';

export const CHECKOUT_STATUSES = ['pending', 'confirmed', 'cancelled'] as const;
export type CheckoutStatus = (typeof CHECKOUT_STATUSES)[number];

/** A plan to be ordered, and what the caller calls the order. */
export interface NewCheckout {
  id: string;
  tenantId: string;
  plan: string;
  reference: string | null;
}

export interface Checkout extends NewCheckout {
  status: CheckoutStatus;
  /** Who collects the money. */
  provider: string;
  paymentUrl: string | null;
  createdBy: string | null;
  createdWith: string | null;
  createdAt: number;
  updatedAt: number;
  confirmedBy: string | null;
  confirmedAt: number | null;
}

interface Row {
  id: string;
  tenant_id: string;
  plan: string;
  reference: string | null;
  status: string;
  provider: string;
  payment_url: string | null;
  created_by: string | null;
  created_with: string | null;
  created_at: number;
  updated_at: number;
  confirmed_by: string | null;
  confirmed_at: number | null;
}

export async function insertCheckout(db: Db, checkout: Checkout): Promise<void> {
  await table(db).insert({
    id: checkout.id,
    tenant_id: checkout.tenantId,
    plan: checkout.plan,
    reference: checkout.reference,
    provider: checkout.provider,
    payment_url: checkout.paymentUrl,
    created_by: checkout.createdBy,
    created_with: checkout.createdWith,
    created_at: checkout.createdAt,
    ...changeableColumns(checkout),
  });
}

export async function findCheckoutByReference(
  db: Db,
  tenantId: string,
  reference: string,
): Promise<Checkout | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, reference }).first();
  return row && checkoutOf(row);
}

/** The order that waits for an owner; a tenant has one at most. */
export async function findPendingCheckout(db: Db, tenantId: string): Promise<Checkout | undefined> {
  const row = await table(db)
    .where({ tenant_id: tenantId, status: 'pending' })
    .orderBy([{ column: 'created_at', order: 'desc' }, 'id'])
    .first();
  return row && checkoutOf(row);
}

/** Finds one checkout. */
export async function findCheckout(db: Db, tenantId: string, id: string): Promise<Checkout | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id }).first();
  return row && checkoutOf(row);
}

/** Updates the changeable columns of a checkout; the caller has locked its tenant. */
export async function updateCheckout(trx: Db, checkout: Checkout): Promise<void> {
  await table(trx).where({ tenant_id: checkout.tenantId, id: checkout.id }).update(changeableColumns(checkout));
}

function changeableColumns(checkout: Checkout) {
  return {
    status: checkout.status,
    updated_at: checkout.updatedAt,
    confirmed_by: checkout.confirmedBy,
    confirmed_at: checkout.confirmedAt,
  };
}

function checkoutOf(row: Row): Checkout {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    plan: row.plan,
    reference: row.reference,
    // A status that this release does not know can no longer be confirmed.
    status: CHECKOUT_STATUSES.find((status) => status === row.status) ?? 'cancelled',
    provider: row.provider,
    paymentUrl: row.payment_url,
    createdBy: row.created_by,
    createdWith: row.created_with,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    confirmedBy: row.confirmed_by,
    confirmedAt: row.confirmed_at,
  };
}

function table(db: Db) {
  return db<Row>('checkouts');
}
