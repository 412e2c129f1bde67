import { LRUCache } from 'lru-cache';

/** A Map that forgets what was not asked for the longest: koa-ratelimit takes nothing but a Map, and never removes from it. */
export class RecentMap<Value extends object> extends Map<string, Value> {
  readonly #recent: LRUCache<string, Value>;
  #latest: Value | undefined;

  constructor(most: number) {
    super();
    this.#recent = new LRUCache({ max: most });
  }

  override get(key: string): Value | undefined {
    return (this.#latest = this.#recent.get(key));
  }

  override has(key: string): boolean {
    return this.#recent.has(key);
  }

  override set(key: string, value: Value): this {
    this.#recent.set(key, (this.#latest = value));
    return this;
  }

  /** What was asked for or put in last, once. */
  takeLatest(): Value | undefined {
    const latest = this.#latest;
    this.#latest = undefined;
    return latest;
  }

  override delete(key: string): boolean {
    return this.#recent.delete(key);
  }
}
