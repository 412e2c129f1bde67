import type { Db } from '../../db/connect.ts';
import { isRetryable } from '../../db/faults.ts';
import { quotaUsed, spendQuota, startQuota } from '../../db/tables/apiKeyQuotas.ts';
import { monthOf } from '../domain/times.ts';
import { AppError, unavailable } from '../errors.ts';

/** Counts what keys with a monthly quota have used, exactly, however many processes serve them. */
export interface Quotas {
  /** Spends the cost and says yes, or spends nothing and says no. */
  take(keyId: string, quota: number, cost?: number): Promise<boolean>;
}

interface Request {
  cost: number;
  answer: (allowed: boolean) => void;
  fail: (error: Error) => void;
}

/** What arrived for one key in a turn of the event loop. */
interface Turn {
  quota: number;
  requests: Request[];
}

/** Keys whose quotas are counted at once; the others wait, and what arrives for them meanwhile is counted with them. */
const AT_ONCE = 4;
/** How long a statement that the database wants sent again is worth sending. */
const PATIENCE_MS = 500;

/** Quotas counted in the database, once per key and turn; its trouble is 503 for all who wait. */
export function createQuotas(db: Db, now: () => number = Date.now): Quotas {
  const waiting = new Map<string, Turn>();
  let underWay = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || underWay >= AT_ONCE || waiting.size === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      for (const [keyId, turn] of waiting) {
        if (underWay >= AT_ONCE) return;
        waiting.delete(keyId);
        void count(keyId, turn);
      }
    });
  }

  async function count(keyId: string, turn: Turn): Promise<void> {
    underWay++;
    try {
      const served = await serve(db, keyId, monthOf(now()), turn);
      for (const request of turn.requests) request.answer(served.has(request));
    } catch (error) {
      // Whoever waits would wait for the same.
      const failed = [turn, ...waiting.values()];
      waiting.clear();
      for (const { requests } of failed) for (const request of requests) request.fail(unavailable(error));
    } finally {
      underWay--;
      schedule();
    }
  }

  return {
    take: async (keyId, quota, cost = 1) =>
      new Promise((answer, fail) => {
        const turn = waiting.get(keyId) ?? { quota, requests: [] };
        // The last to arrive has seen the newest state of the key.
        turn.quota = quota;
        turn.requests.push({ cost, answer, fail });
        waiting.set(keyId, turn);
        schedule();
      }),
  };
}

/** The refusal of a request whose key has nothing left this month. */
export function quotaExceeded(now: number): AppError {
  return new AppError('quota_exceeded', 'This API key has used its quota for the month.', {
    headers: { 'Retry-After': String(secondsToNextMonth(now)) },
  });
}

/** Spends what the first of them cost, as many as the quota has room for; each further round means others were served. */
async function serve(db: Db, keyId: string, month: string, { quota, requests }: Turn): Promise<Set<Request>> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let left = quota;
  for (;;) {
    const served = fitting(requests, left);
    if (served.size === 0) return served;
    const spending = { keyId, month, quota, cost: costOf(served) };
    try {
      if (await spendQuota(db, spending)) return served;
      const used = await quotaUsed(db, keyId, month);
      if (used !== undefined) left = quota - used;
      else await startQuota(db, keyId, month);
    } catch (error) {
      if (!isRetryable(error) || performance.now() > giveUpAt) throw error;
    }
  }
}

function fitting(requests: readonly Request[], left: number): Set<Request> {
  const served = new Set<Request>();
  let room = left;
  for (const request of requests) {
    if (request.cost > room) continue;
    room -= request.cost;
    served.add(request);
  }
  return served;
}

function costOf(requests: Iterable<Request>): number {
  let cost = 0;
  for (const request of requests) cost += request.cost;
  return cost;
}

function secondsToNextMonth(now: number): number {
  const date = new Date(now);
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  return Math.max(1, Math.ceil((next - now) / 1000));
}
