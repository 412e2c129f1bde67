import { LRUCache } from 'lru-cache';
import type { Rate } from '../domain/rate.ts';
import { Count, nowInSeconds, untaken, type CostCounter } from './count.ts';
import { Rules, type Rule } from './rule.ts';

/**
 * How many ids are remembered, in about 5 MB. A count is pushed out when this many others come between two requests of the one:
 * never in a burst, though a window of hours may end early. What has to be exact for that long is a quota.
 */
const REMEMBERED = 20_000;

/** What is left of one id until its window ends, which begins with its first request. */
interface Window {
  left: number;
  /** Epoch seconds by the monotonic clock. */
  readonly reset: number;
}

/** Counts in this process alone, by fixed windows, as koa-ratelimit does without Redis. */
export class LocalCounter implements CostCounter {
  readonly #rules: Rules;
  readonly #windows = new LRUCache<string, Window>({ max: REMEMBERED });

  constructor(name: string) {
    this.#rules = new Rules(name);
  }

  take(id: string, rate: Rate): Count {
    return this.takeCost(id, rate, 1);
  }

  takeCost(id: string, rate: Rate, cost: number): Count {
    const rule = this.#rules.of(rate);
    const key = keyOf(rule, id);
    const now = nowInSeconds();
    let window = this.#windows.get(key);
    if (!window || window.reset <= now) {
      window = { left: rule.limit, reset: now + rule.windowSeconds };
      this.#windows.set(key, window);
    }
    const { left, reset } = window;
    if (cost > left) return untaken(this, rule, id, left, reset, cost);
    window.left -= cost;
    return new Count(this, rule, id, window.left + 1, reset);
  }

  peek(id: string, rate: Rate, cost: number): Count {
    const rule = this.#rules.of(rate);
    const window = this.#windows.get(keyOf(rule, id));
    const now = nowInSeconds();
    if (!window || window.reset <= now) return untaken(this, rule, id, rule.limit, now + rule.windowSeconds, cost);
    return untaken(this, rule, id, window.left, window.reset, cost);
  }

  async giveBack({ rule, id, reset }: Count): Promise<void> {
    const key = keyOf(rule, id);
    const window = this.#windows.get(key);
    // A window that began since has nothing to give back to.
    if (window?.reset !== reset) return;
    window.left++;
    // With nothing left to remember, the next window begins when it is needed.
    if (window.left >= rule.limit) this.#windows.delete(key);
  }
}

function keyOf({ text }: Rule, id: string): string {
  return `${text}:${id}`;
}
