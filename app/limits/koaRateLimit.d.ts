// koa-ratelimit ships the limiter that its middleware counts with in Redis, and no types for it. It is no part of its public
// interface, so package.json pins its exact version.
interface LimiterState {
  /** What was left before this request: 0 means that it is one too many. */
  remaining: number;
  /** Epoch seconds. */
  reset: number;
}

declare module 'koa-ratelimit/limiter/redis.js' {
  import type { Redis } from 'ioredis';
  export default class RedisLimiter {
    constructor(options: { id: string; db: Redis; max: number; duration: number; namespace: string });
    get(options?: { peek: boolean }): Promise<LimiterState>;
  }
}
