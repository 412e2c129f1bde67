import { LRUCache } from 'lru-cache';
import { normaliseEmail } from '../domain/email.ts';
import { normaliseNetwork } from '../domain/network.ts';
import type { Rate } from '../domain/rate.ts';
import { AppError } from '../errors.ts';

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

interface Count {
  failures: number;
  endsAt: number;
}

/** Far more than can fail in a window, at 40 ms a hash: a guesser cannot push a counter out by filling the memory. */
const REMEMBERED = 50_000;

/** Counts failures in this process, per account and per address, in windows that start with the first of them. */
export function loginThrottle(rate: Rate | undefined, now: () => number = Date.now): LoginThrottle {
  if (!rate) return { attempt: async (_who, signIn) => signIn() };
  const { limit, windowSeconds } = rate;
  const accounts = new LRUCache<string, Count>({ max: REMEMBERED });
  const addresses = new LRUCache<string, Count>({ max: REMEMBERED });

  function countOf(counts: LRUCache<string, Count>, name: string): Count {
    let count = counts.get(name);
    if (!count || now() >= count.endsAt) {
      count = { failures: 0, endsAt: now() + windowSeconds * 1000 };
      counts.set(name, count);
    }
    return count;
  }

  function refuseSpent(counts: readonly Count[]): void {
    const spent = counts.filter(({ failures }) => failures >= limit);
    if (spent.length === 0) return;
    const seconds = Math.ceil((Math.max(...spent.map(({ endsAt }) => endsAt)) - now()) / 1000);
    throw new AppError('rate_limited', 'Too many failed attempts to sign in; try again later.', {
      headers: { 'Retry-After': String(Math.max(1, seconds)) },
    });
  }

  return {
    async attempt({ email, address }, signIn) {
      const counts = [countOf(accounts, accountOf(email)), countOf(addresses, networkOf(address))];
      refuseSpent(counts);
      // Counted before it is known to fail: otherwise a hundred guesses at once would all be the first.
      for (const count of counts) count.failures++;
      let failed = false;
      try {
        const found = await signIn();
        failed = found === undefined;
        return found;
      } finally {
        if (!failed) for (const count of counts) count.failures--;
      }
    },
  };
}

/** What is no email has no account to protect, but its failures still count for the address. */
function accountOf(email: string): string {
  return normaliseEmail(email) ?? '';
}

/** A network of IPv6 is handed out whole, so 2^64 addresses are one guesser. */
function networkOf(address: string): string {
  return address.includes(':') ? (normaliseNetwork(`${address}/64`) ?? address) : address;
}
