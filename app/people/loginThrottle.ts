import { createHash } from 'node:crypto';
import { normaliseEmail } from '../domain/email.ts';
import type { Rate } from '../domain/rate.ts';
import { callerOf } from '../limits/callerAddress.ts';
import { tooMany, type Count, type Counter } from '../limits/count.ts';

/** Who tries to sign in, and from where. */
export interface Attempt {
  email: string;
  address: string;
}

/** The one door to signing in that keeps guessers out. */
export interface LoginThrottle {
  /**
   * Runs the attempt, or refuses it with 429 once the account or the address has failed too often. Only an attempt that
   * gives undefined counts, so that signing in often locks nobody out.
   */
  attempt<T>(who: Attempt, signIn: () => Promise<T | undefined>): Promise<T | undefined>;
}

/** Counts failures per account and per address, each at this rate. */
export function loginThrottle(
  rate: Rate | undefined,
  { accounts, addresses }: { accounts: Counter; addresses: Counter },
): LoginThrottle {
  if (!rate) return { attempt: async (_who, signIn) => signIn() };
  return {
    async attempt({ email, address }, signIn) {
      // Counted before it is known to fail: otherwise a hundred guesses at once would all be the first.
      const account = allowed(await accounts.take(accountOf(email), rate));
      const caller = await addresses.take(callerOf(address), rate);
      let failed = false;
      try {
        allowed(caller);
        const found = await signIn();
        failed = found === undefined;
        return found;
      } finally {
        if (!failed) await giveBack(account, caller);
      }
    },
  };
}

function allowed(count: Count): Count {
  if (!count.allowed) throw tooMany(count, 'Too many failed attempts to sign in; try again later.');
  return count;
}

/** What was refused has not counted. */
async function giveBack(...counts: Count[]): Promise<void> {
  await Promise.all(counts.filter(({ allowed }) => allowed).map(async (count) => count.by.giveBack(count)));
}

/** A name of one length that tells nobody the email. What is none has no account, but its failures count for the address. */
function accountOf(email: string): string {
  return createHash('sha256')
    .update(normaliseEmail(email) ?? '')
    .digest('base64url');
}
