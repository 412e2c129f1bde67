import { LRUCache } from 'lru-cache';
import { callerOf, widerCallerOf } from './callerAddress.ts';
import type { Count } from './count.ts';

/** In about 5 MB; an address that is pushed out is noted again by its next refusal. */
const REMEMBERED = 20_000;

/** The addresses over their limit, until their window ends. */
export class SpentAddresses {
  readonly #counts = new LRUCache<string, Count>({ max: REMEMBERED });
  /** The last end of a window among them. */
  #until = 0;

  note(count: Count): void {
    if (count.remaining > 0) return;
    this.#counts.set(count.id, count);
    this.#until = Math.max(this.#until, count.reset);
  }

  /** The count by which requests from this address are refused now; undefined where it is not over its limit. */
  of(address: string): Count | undefined {
    if (this.#counts.size === 0) return undefined;
    const now = (performance.timeOrigin + performance.now()) / 1000;
    if (this.#until <= now) {
      this.#counts.clear();
      return undefined;
    }
    const count = this.#counts.get(callerOf(address)) ?? this.#counts.get(widerCallerOf(address));
    return count && count.reset > now ? count : undefined;
  }
}
