import type { NewCheckout } from '../../../db/tables/product/checkouts.ts';

/** Whoever collects the money for a plan: the one place to connect a payment service. */
export interface PaymentProvider {
  /** Kept with each checkout, so that a change of provider leaves the old ones readable. */
  readonly name: string;
  /**
   * Told of a checkout before it is stored, and perhaps of one that never is; gives the address at which to pay, null
   * where there is none. The checkout's id is good as an idempotency key.
   */
  begin(checkout: NewCheckout): Promise<{ paymentUrl: string | null }>;
  /** Whether nothing is left to pay; asked when an owner confirms. */
  isSettled(checkout: NewCheckout): Promise<boolean>;
}

/** The built-in provider: an owner's confirmation is all it takes, and the bill goes its own way. */
export const confirmedByHand: PaymentProvider = {
  name: 'by-hand',
  begin: async () => ({ paymentUrl: null }),
  isSettled: async () => true,
};
