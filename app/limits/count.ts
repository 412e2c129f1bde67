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

/** A counter of requests that may cost more than one, and can be asked without counting. */
export interface CostCounter extends Counter {
  /** Counts the cost where there is room for all of it, and otherwise nothing. */
  takeCost(id: string, rate: Rate, cost: number): Count | Promise<Count>;
  /** Says whether there is room for the cost, and counts nothing. */
  peek(id: string, rate: Rate, cost: number): Count | Promise<Count>;
}

/** The state of a counter after a request. */
export class Count {
  readonly by: Counter;
  readonly rule: Rule;
  readonly id: string;
  readonly allowed: boolean;
  readonly remaining: number;
  /** The end of the window in epoch seconds, by the monotonic clock. */
  readonly reset: number;

  /** `left` is what was left before the request, 0 for one that is refused; `leftOver` what a refused one leaves. */
  constructor(by: Counter, rule: Rule, id: string, left: number, reset: number, leftOver = 0) {
    this.by = by;
    this.rule = rule;
    this.id = id;
    this.allowed = left > 0;
    this.remaining = left > 0 ? left - 1 : leftOver;
    this.reset = reset;
  }

  /** Whole seconds until the window ends, at least 1. */
  get resetSeconds(): number {
    return Math.min(Math.max(Math.ceil(this.reset - nowInSeconds()), 1), this.rule.windowSeconds);
  }
}

/** Epoch seconds by the monotonic clock, which no change of the time moves. */
export function nowInSeconds(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** How a counter stands of which nothing was taken: with `left` of it, is there room for the cost? */
export function untaken(by: Counter, rule: Rule, id: string, left: number, reset: number, cost: number): Count {
  return new Count(by, rule, id, cost <= left ? left + 1 : 0, reset, left);
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
