import { createHash } from 'node:crypto';
import { normaliseEmail } from '../domain/email.ts';
import type { Rate } from '../domain/rate.ts';
import { rateLimited, type Count, type Counter } from './count.ts';

/** Who tries to sign in, and from where. */
export interface Attempt {
  email: string;
  address: string;
  /** The device they use, where it has signed in to this account before. */
  device?: string | undefined;
}

/** Runs every login attempt, so that guessing passwords is limited. */
export interface LoginThrottle {
  /**
   * Runs the attempt, or refuses it with 429 after too many failures of the account or the address. Only attempts that
   * give undefined count, so that signing in often locks no person out.
   */
  attempt<T>(who: Attempt, signIn: () => Promise<T | undefined>): Promise<T | undefined>;
}

/**
 * Counts failures per account and per address, each at this rate. A known browser of the account is counted by itself
 * instead, so that attackers elsewhere cannot lock it out.
 */
export function loginThrottle(
  rate: Rate | undefined,
  { accounts, devices, addresses }: Record<'accounts' | 'devices' | 'addresses', Counter>,
): LoginThrottle {
  if (!rate) return { attempt: async (_who, signIn) => signIn() };
  return {
    async attempt({ email, address, device }, signIn) {
      const places: Place[] =
        device === undefined
          ? [
              [accounts, accountOf(email)],
              [addresses, address],
            ]
          : [[devices, device]];
      const taken: [Counter, Count][] = [];
      let failed = false;
      try {
        // Counted before it is known to fail: otherwise a hundred guesses at once would all be the first.
        for (const [counter, id] of places) taken.push([counter, allowed(await counter.take(id, rate))]);
        const found = await signIn();
        failed = found === undefined;
        return found;
      } finally {
        // Attempts that were refused have not counted.
        if (!failed) await Promise.all(taken.map(async ([counter, count]) => counter.giveBack(count)));
      }
    },
  };
}

/** The counter that failures are counted in, and the id. */
type Place = [counter: Counter, id: string];

function allowed(count: Count): Count {
  if (!count.allowed) throw rateLimited(count, 'too_many_sign_ins');
  return count;
}

/** A hash of the email as the id of its counter; text that is no email has no account but counts for the address. */
export function accountOf(email: string): string {
  return createHash('sha256')
    .update(normaliseEmail(email) ?? '')
    .digest('base64url');
}
