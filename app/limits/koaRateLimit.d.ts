// koa-ratelimit ships the limiters that its middleware counts with, and no types for them. They are no part of its public
// interface, so package.json pins its exact version.
interface LimiterState {
  /** What was left before this request: 0 means that it is one too many. */
  remaining: number;
  /** Epoch seconds. */
  reset: number;
}

declare module 'koa-ratelimit/limiter/memory.js' {
  export default class MemoryLimiter {
    constructor(options: {
      id: string;
      db: Map<string, LimiterState>;
      max: number;
      duration: number;
      namespace: string;
    });
    get(): Promise<LimiterState>;
  }
}

declare module 'koa-ratelimit/limiter/redis.js' {
  import type { Redis } from 'ioredis';
  export default class RedisLimiter {
    constructor(options: { id: string; db: Redis; max: number; duration: number; namespace: string });
    get(options?: { peek: boolean }): Promise<LimiterState>;
  }
}
