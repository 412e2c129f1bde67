import type { Redis, RedisOptions } from 'ioredis';
import { faultCode } from '../../db/connection/faults.ts';
import type { Log } from '../log.ts';
import { importOnDemand } from '../importOnDemand.ts';
import { withDeadline } from '../timing.ts';

/** How long a request waits for Redis. */
const DEADLINE_MS = 50;
/** How long Redis is left alone after it failed; then one request tries for all. */
const PAUSE_MS = 1_000;

const OPTIONS = {
  connectionName: 'latchkey',
  connectTimeout: 2_000,
  // A stopping process would wait this long even for a connection that is gone.
  disconnectTimeout: 50,
  // A connection that died without a word is found out by this, and made anew.
  socketTimeout: 5_000,
  retryStrategy: () => PAUSE_MS,
  // After a failover the old primary refuses writes, and the name may resolve to the new one.
  reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  // A count that cannot be made now is made here; it is worth nothing later.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
} satisfies RedisOptions;

/**
 * A connection to Redis that is never waited for: it answers within the deadline or not at all, and when it has failed it
 * is left alone for a while. It recovers by itself, and says when it is lost and when it is back.
 */
export class RedisLink {
  readonly redis: Redis;
  readonly #log: Log;
  #lost = false;
  #closed = false;
  #nextTryAt = 0;

  constructor(url: string, log: Log) {
    this.#log = log;
    const ioredis = importOnDemand('ioredis') as typeof import('ioredis');
    this.redis = new ioredis.Redis(url, OPTIONS);
    this.redis.on('error', (error) => this.#failed(error));
    this.redis.on('close', () => this.#failed(new Error('connection closed')));
  }

  /** The answer; undefined where Redis gave none in time. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (!this.#mayAsk()) return undefined;
    try {
      const answer = await withDeadline(DEADLINE_MS, question(this.redis), late);
      this.#answered();
      return answer;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    this.redis.disconnect();
  }

  #mayAsk(): boolean {
    if (this.redis.status !== 'ready') return false;
    if (!this.#lost) return true;
    const now = performance.now();
    if (now < this.#nextTryAt) return false;
    this.#nextTryAt = now + PAUSE_MS;
    return true;
  }

  #answered(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.#log.warn('Redis answers again: limits are shared by all processes');
  }

  #failed(error: unknown): void {
    if (this.#lost || this.#closed) return;
    this.#lost = true;
    this.#nextTryAt = performance.now() + PAUSE_MS;
    this.#log.warn({ fault: faultOf(error) }, 'Redis does not answer: each process counts limits by itself');
  }
}

const late = () => new Error('no answer in time');

/** A reply's first word is its code; the rest may repeat what was sent. */
function faultOf(error: unknown): string {
  if (error instanceof Error && error.name === 'ReplyError') return error.message.split(' ', 1)[0] ?? error.name;
  const code = faultCode(error);
  return code === 'Error' ? (error as Error).message : code;
}
