import type { Rate } from '../domain/rate.ts';
import { normaliseNetwork } from '../domain/network.ts';
import type { Count, Counter } from './count.ts';

/**
 * How many times the rate of a /64 its /48 may come. Providers hand out both whole: who has a /48 has 65,536 networks of
 * /64, and with this no more turns than ten callers.
 */
const WIDER_TIMES = 10;

/** The id that limits count an address by: an IPv6 address counts as its /64, since networks are handed out whole. */
export function callerOf(address: string): string {
  return networkOf(address, 64);
}

/** The largest network that one caller may have: the /48 of an IPv6 address. */
export function widerCallerOf(address: string): string {
  return networkOf(address, 48);
}

function networkOf(address: string, length: number): string {
  return address.includes(':') ? (normaliseNetwork(`${address}/${length}`) ?? address) : address;
}

/** Counts addresses: IPv4 one by one, IPv6 by the /64 and, at ten times the rate, by the /48. */
export class AddressCounter implements Counter {
  readonly #counter: Counter;
  /** The count of the /48 that was taken together with one of a /64. */
  readonly #wider = new WeakMap<Count, Count>();

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  take(address: string, rate: Rate): Count | Promise<Count> {
    return address.includes(':') ? this.#takeBoth(address, rate) : this.#counter.take(address, rate);
  }

  async giveBack(count: Count): Promise<void> {
    const wider = this.#wider.get(count);
    await this.#counter.giveBack(count);
    if (wider) await this.#counter.giveBack(wider);
  }

  /** Requests refused for their /64 do not count for the /48, so that ten /64 are needed to use it up. */
  async #takeBoth(address: string, rate: Rate): Promise<Count> {
    const own = await this.#counter.take(callerOf(address), rate);
    if (!own.allowed) return own;
    const wider = await this.#counter.take(widerCallerOf(address), { ...rate, limit: rate.limit * WIDER_TIMES });
    if (!wider.allowed) return wider;
    this.#wider.set(own, wider);
    return own;
  }
}
