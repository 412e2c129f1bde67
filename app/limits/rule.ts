import { LRUCache } from 'lru-cache';
import type { Rate } from '../domain/rate.ts';

/** A rate under the name that headers know it by, with what never changes about it written out once. */
export interface Rule {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** `600/60`, as the configuration writes it. */
  readonly text: string;
  readonly limitHeader: string;
  readonly policyHeader: string;
}

/** More rates than are in use at the same time; to forget one costs nothing but making it again. */
const KEPT = 500;

/** The rules of one name, each made once. */
export class Rules {
  readonly #name: string;
  readonly #known = new LRUCache<string, Rule>({ max: KEPT });
  /** The rule that was asked for last, which nearly every request asks for again. */
  #last: Rule;

  constructor(name: string) {
    this.#name = name;
    this.#last = ruleOf(name, { limit: 0, windowSeconds: 0 });
  }

  of(rate: Rate): Rule {
    const { limit, windowSeconds } = this.#last;
    if (rate.limit === limit && rate.windowSeconds === windowSeconds) return this.#last;
    const text = textOf(rate);
    const rule = this.#known.get(text) ?? ruleOf(this.#name, rate);
    this.#known.set(text, rule);
    return (this.#last = rule);
  }
}

function ruleOf(name: string, rate: Rate): Rule {
  const { limit, windowSeconds } = rate;
  return {
    name,
    limit,
    windowSeconds,
    text: textOf(rate),
    limitHeader: String(limit),
    policyHeader: `"${name}";q=${limit};w=${windowSeconds}`,
  };
}

function textOf({ limit, windowSeconds }: Rate): string {
  return `${limit}/${windowSeconds}`;
}
