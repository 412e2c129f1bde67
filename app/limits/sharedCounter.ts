import RedisLimiter from 'koa-ratelimit/limiter/redis.js';
import type { Rate } from '../domain/rate.ts';
import { Count, type Counter } from './count.ts';
import type { RedisLink } from './redisLink.ts';
import { Rules, type Rule } from './rule.ts';

/**
 * Counts in Redis, for all processes together. If Redis does not answer in time, the process counts locally, so that a
 * dead Redis neither admits nor refuses all requests. Whether a key is valid never depends on it.
 */
export class SharedCounter implements Counter {
  readonly #link: RedisLink;
  readonly #local: Counter;
  readonly #name: string;
  readonly #rules: Rules;

  constructor(name: string, link: RedisLink, local: Counter) {
    this.#link = link;
    this.#local = local;
    this.#name = name;
    this.#rules = new Rules(name);
  }

  async take(id: string, rate: Rate): Promise<Count> {
    const rule = this.#rules.of(rate);
    const state = await this.#link.ask(async (redis) => this.#limiter(redis, rule, id).get());
    if (!state) return this.#local.take(id, rate);
    // The driver rounds down, which would send callers back a moment too early.
    return new Count(this, rule, id, state.remaining, state.reset + 1);
  }

  async giveBack(count: Count): Promise<void> {
    if (count.by !== this) return count.by.giveBack(count);
    // The driver keeps a moment per request, and one is as good as another.
    await this.#link.ask(async (redis) => redis.zpopmax(`${this.#namespace(count.rule)}:${count.id}`));
  }

  #limiter(db: RedisLink['redis'], rule: Rule, id: string): RedisLimiter {
    const { limit: max, windowSeconds } = rule;
    return new RedisLimiter({ id, db, max, duration: windowSeconds * 1000, namespace: this.#namespace(rule) });
  }

  #namespace({ text }: Rule): string {
    return `latchkey:${this.#name}:${text}`;
  }
}
