import type { Context } from '../context.ts';
import { debounce } from '../timing.ts';
import { rateLimited } from './count.ts';
import type { SpentAddresses } from './spentAddresses.ts';

/** How often the database is asked for all doubtful credentials together. */
const EVERY_MS = 1_000;
/** The most credentials that wait; they are looked up with one query. */
const WAITING_AT_MOST = 1_000;
/** How many credentials are remembered as valid, in each of two generations: about 4 MB in all. */
const REMEMBERED = 50_000;

/**
 * Decides when a credential from an address over its limit is looked up. A credential that was found valid lately is
 * looked up at once; all others together once a second, so that a flood of unknown ones costs one query a second and a
 * valid one still gets in. What is remembered never admits a request: it only decides when to look up.
 */
export class DoubtfulLookups {
  readonly #spent: SpentAddresses;
  #valid = new Set<number>();
  #validBefore = new Set<number>();
  readonly #askTogether = debounce(() => this.#askAll());
  #waiting: (() => void)[] = [];
  #nextAt = 0;

  constructor(spent: SpentAddresses) {
    this.#spent = spent;
  }

  /** Remembers that the database knows this credential, by the hash of its text in hexadecimal. */
  foundValid(hash: string): void {
    const mark = markOf(hash);
    if (this.#valid.has(mark)) return;
    if (this.#valid.size >= REMEMBERED) {
      this.#validBefore = this.#valid;
      this.#valid = new Set();
    }
    this.#valid.add(mark);
  }

  /** Whether the request comes from an address over its limit. */
  isDoubtful(ctx: Context): boolean {
    return this.#spent.of(ctx.state.countedAddress) !== undefined;
  }

  /**
   * Undefined where the database may be asked at once; otherwise resolves when it may, and rejects with 429 where too
   * many wait already.
   */
  turn(ctx: Context, hash: string): Promise<void> | undefined {
    const count = this.#spent.of(ctx.state.countedAddress);
    if (!count) return undefined;
    const mark = markOf(hash);
    if (this.#valid.has(mark) || this.#validBefore.has(mark)) return undefined;
    if (this.#waiting.length >= WAITING_AT_MOST) return Promise.reject(rateLimited(count));
    return new Promise((resolve) => this.#wait(resolve));
  }

  #wait(resolve: () => void): void {
    this.#waiting.push(resolve);
    this.#askTogether.schedule(Math.max(this.#nextAt - performance.now(), 0));
  }

  /** All in one turn, so that the lookup asks about them in one query. */
  #askAll(): void {
    this.#nextAt = performance.now() + EVERY_MS;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** As much of a hash as is remembered. */
function markOf(hash: string): number {
  return Number.parseInt(hash.slice(0, 8), 16);
}
