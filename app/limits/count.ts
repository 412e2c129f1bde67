import type { Rate } from '../domain/rate.ts';
import type { ProblemKey } from '../domain/problem.ts';
import { AppError } from '../errors.ts';
import type { Rule } from './rule.ts';

/** Counts requests by id; each rate counts by itself, so that a changed one holds at once. */
export interface Counter {
  /** At once where it is counted in this process, for every request of a key passes here. */
  take(id: string, rate: Rate): Count | Promise<Count>;
  /** Lets a request that this counter allowed not have counted after all. */
  giveBack(count: Count): Promise<void>;
}

/** The state of a counter after a request. */
export class Count {
  readonly by: Counter;
  readonly rule: Rule;
  readonly id: string;
  readonly allowed: boolean;
  readonly remaining: number;
  /** The end of the window in epoch seconds, by the monotonic clock that koa-ratelimit counts with. */
  readonly reset: number;

  constructor(by: Counter, rule: Rule, id: string, left: number, reset: number) {
    this.by = by;
    this.rule = rule;
    this.id = id;
    this.allowed = left > 0;
    this.remaining = left > 0 ? left - 1 : 0;
    this.reset = reset;
  }

  /** Whole seconds until the window ends, at least 1. */
  get resetSeconds(): number {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    return Math.min(Math.max(Math.ceil(this.reset - now), 1), this.rule.windowSeconds);
  }
}

/** The rate limit headers of an answer: the draft standard's and the older ones. */
export function rateHeaders(count: Count): Record<string, string> {
  const { rule, remaining, reset, resetSeconds } = count;
  return {
    'RateLimit-Policy': rule.policyHeader,
    RateLimit: `"${rule.name}";r=${remaining};t=${resetSeconds}`,
    'X-RateLimit-Limit': rule.limitHeader,
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(Math.ceil(reset)),
  };
}

/** The refusal of a request that was one too many. */
export function rateLimited(count: Count, problem: ProblemKey = 'too_many_requests'): AppError {
  return new AppError('rate_limited', problem, {
    headers: { ...rateHeaders(count), 'Retry-After': String(count.resetSeconds) },
  });
}
