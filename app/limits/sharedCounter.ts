import RedisLimiter from 'koa-ratelimit/limiter/redis.js';
import type { Rate } from '../domain/rate.ts';
import { Count, untaken, type CostCounter } from './count.ts';
import type { RedisLink } from './redisLink.ts';
import { Rules, type Rule } from './rule.ts';

/**
 * Adds a moment for each unit of the cost to the set in which the driver keeps one for each request, or none where they do
 * not all fit; says whether it did, what is left, and the oldest moment. The members stay numbers, as the driver reads them.
 */
const TAKE_COST = `
  local now, duration = tonumber(ARGV[1]), tonumber(ARGV[2])
  local max, cost = tonumber(ARGV[3]), tonumber(ARGV[4])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - duration)
  local left = max - redis.call('ZCARD', KEYS[1])
  local taken = 0
  if left >= cost then
    for unit = 1, cost do
      redis.call('ZADD', KEYS[1], now, string.format('%.4f%06d', now, unit))
    end
    redis.call('PEXPIRE', KEYS[1], duration)
    taken, left = 1, left - cost
  end
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)
  return { taken, math.max(left, 0), math.floor(tonumber(oldest[1] or now)) }
`;

/**
 * Counts in Redis, for all processes together. If Redis does not answer in time, the process counts locally, so that a
 * dead Redis neither admits nor refuses all requests. Whether a key is valid never depends on it.
 */
export class SharedCounter implements CostCounter {
  readonly #link: RedisLink;
  readonly #local: CostCounter;
  readonly #name: string;
  readonly #rules: Rules;

  constructor(name: string, link: RedisLink, local: CostCounter) {
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

  async takeCost(id: string, rate: Rate, cost: number): Promise<Count> {
    if (cost === 1) return this.take(id, rate);
    const rule = this.#rules.of(rate);
    const state = await this.#link.ask(async (redis) => {
      const now = performance.timeOrigin + performance.now();
      const values = [now, rule.windowSeconds * 1000, rule.limit, cost];
      return (await redis.eval(TAKE_COST, 1, `${this.#namespace(rule)}:${id}`, ...values)) as [number, number, number];
    });
    if (!state) return this.#local.takeCost(id, rate, cost);
    const [taken, left, oldest] = state;
    const reset = Math.ceil(oldest / 1000) + rule.windowSeconds;
    return taken === 1 ? new Count(this, rule, id, left + 1, reset) : untaken(this, rule, id, left, reset, cost);
  }

  async peek(id: string, rate: Rate, cost: number): Promise<Count> {
    const rule = this.#rules.of(rate);
    const state = await this.#link.ask(async (redis) => this.#limiter(redis, rule, id).get({ peek: true }));
    if (!state) return this.#local.peek(id, rate, cost);
    return untaken(this, rule, id, state.remaining, state.reset + 1, cost);
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
