import MemoryLimiter from 'koa-ratelimit/limiter/memory.js';
import type { Rate } from '../domain/rate.ts';
import { Count, nowInSeconds, untaken, type CostCounter } from './count.ts';
import { RecentMap } from './recentMap.ts';
import { Rules, type Rule } from './rule.ts';

/**
 * How many ids are remembered, in about 5 MB. A count is pushed out when this many others come between two requests of the one:
 * never in a burst, though a window of hours may end early. What has to be exact for that long is a quota.
 */
const REMEMBERED = 20_000;

/** Refuses: a limiter that leaves no count behind must not open the door. */
const NOT_COUNTED = { remaining: 0, reset: 0 };

/**
 * Counts in this process alone, with the limiter of koa-ratelimit's memory driver: its middleware around that costs as
 * much again, writes fractions into headers and answers what is ours to answer.
 */
export class LocalCounter implements CostCounter {
  readonly #rules: Rules;
  readonly #counts = new RecentMap<LimiterState>(REMEMBERED);

  constructor(name: string) {
    this.#rules = new Rules(name);
  }

  take(id: string, rate: Rate): Count {
    const rule = this.#rules.of(rate);
    const { limit: max, windowSeconds, text: namespace } = rule;
    const limiter = new MemoryLimiter({ id, db: this.#counts, max, duration: windowSeconds * 1000, namespace });
    // Its promise gives the state as it is when a whole turn's requests have been counted, so it is read now.
    void limiter.get();
    const { remaining, reset } = this.#counts.takeLatest() ?? NOT_COUNTED;
    return new Count(this, rule, id, remaining, reset);
  }

  takeCost(id: string, rate: Rate, cost: number): Count {
    if (cost === 1) return this.take(id, rate);
    const before = this.peek(id, rate, cost);
    if (!before.allowed) return before;
    const { rule, reset } = this.take(id, rate);
    const state = this.#stateOf(rule, id);
    if (!state) return new Count(this, rule, id, NOT_COUNTED.remaining, NOT_COUNTED.reset);
    state.remaining -= cost - 1;
    return new Count(this, rule, id, state.remaining, reset);
  }

  peek(id: string, rate: Rate, cost: number): Count {
    const rule = this.#rules.of(rate);
    const state = this.#stateOf(rule, id);
    const now = nowInSeconds();
    if (!state || state.reset <= now) return untaken(this, rule, id, rule.limit, now + rule.windowSeconds, cost);
    return untaken(this, rule, id, Math.max(state.remaining - 1, 0), state.reset, cost);
  }

  #stateOf({ text }: Rule, id: string): LimiterState | undefined {
    this.#counts.get(`${text}:${id}`);
    return this.#counts.takeLatest();
  }

  async giveBack({ rule, id, reset }: Count): Promise<void> {
    const key = `${rule.text}:${id}`;
    const state = this.#counts.get(key);
    // A window that began since has nothing to give back to.
    if (state?.reset !== reset) return;
    // It is set to the limit by the first request and one less by each that follows, down to 0 by what is refused.
    state.remaining = Math.max(state.remaining, 1) + 1;
    // With nothing left to remember, the next window begins when it is needed.
    if (state.remaining > rule.limit) this.#counts.delete(key);
  }
}
