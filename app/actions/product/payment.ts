import type { NewCheckout } from '../../../db/tables/product/checkouts.ts';

/** The service that collects the money for a plan; a payment service is connected here alone. */
export interface PaymentProvider {
  /** Kept with each checkout, so that a change of provider leaves the old ones readable. */
  readonly name: string;
  /**
   * Starts the payment of a checkout before it is stored, and perhaps of one that never is; returns the address at
   * which to pay, or null. The checkout's id can be the idempotency key.
   */
  begin(checkout: NewCheckout): Promise<{ paymentUrl: string | null }>;
  /** Whether nothing is left to pay; asked when an owner confirms. */
  isSettled(checkout: NewCheckout): Promise<boolean>;
}

/** The built-in provider: an owner confirms the order and the bill is sent elsewhere. */
export const confirmedByHand: PaymentProvider = {
  name: 'by-hand',
  begin: async () => ({ paymentUrl: null }),
  isSettled: async () => true,
};
