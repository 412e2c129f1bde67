import type { ServerResponse } from 'node:http';
import type { Db } from '../../db/connection/connect.ts';
import { isRetryable } from '../../db/connection/faults.ts';
import { quotaUsed, spendQuota, startQuota } from '../../db/tables/keys/apiKeyQuotas.ts';
import { monthOf } from '../domain/times.ts';
import { AppError, unavailable } from '../errors.ts';
import { oncePerTurn } from '../timing.ts';
import { keyCounters, type CountedKey, type KeyCounters } from './keyCounters.ts';

/** Counts what keys with a monthly quota have used, exactly, however many processes serve them. */
export interface Quotas {
  /** Spends the cost where the quota has room for it, and otherwise nothing. */
  take(key: CountedKey, quota: number, cost?: number): Promise<QuotaCount>;
  /** Says whether the quota has room for the cost, and spends nothing. */
  peek(key: CountedKey, quota: number, cost: number): Promise<QuotaCount>;
}

/** The state of a key's quota after a request. */
export interface QuotaCount {
  allowed: boolean;
  quota: number;
  /** The requests left after this one. */
  left: number;
}

interface Request {
  cost: number;
  answer: (count: QuotaCount) => void;
  fail: (error: Error) => void;
}

/** The requests of one key in one turn of the event loop. */
interface Turn {
  key: CountedKey;
  quota: number;
  requests: Request[];
}

/** The most keys whose quotas are counted at the same time; requests of other keys gather in the meantime. */
const AT_ONCE = 4;
/** How long a statement is repeated that the database asks to repeat. */
const PATIENCE_MS = 500;

/** Counts quotas in the database, once per key and turn; if it is unavailable, all waiting requests are 503. */
export function createQuotas(db: Db, now: () => number = Date.now, counterOf: KeyCounters = keyCounters(db)): Quotas {
  const waiting = new Map<string, Turn>();
  let underWay = 0;
  const countSoon = oncePerTurn(() => {
    for (const [keyId, turn] of waiting) {
      if (underWay >= AT_ONCE) return;
      waiting.delete(keyId);
      void count(turn);
    }
  });

  function schedule(): void {
    if (underWay < AT_ONCE && waiting.size > 0) void countSoon();
  }

  async function count(turn: Turn): Promise<void> {
    underWay++;
    try {
      const { served, left } = await serve(db, await counterOf(turn.key), monthOf(now()), turn);
      // Each request gets the count that it leaves for the next.
      let leftForNext = left + costOf(served);
      for (const request of turn.requests) {
        const allowed = served.has(request);
        if (allowed) leftForNext -= request.cost;
        request.answer({ allowed, quota: turn.quota, left: Math.max(0, leftForNext) });
      }
    } catch (error) {
      // The waiting requests would fail as well.
      const failed = [turn, ...waiting.values()];
      waiting.clear();
      for (const { requests } of failed) for (const request of requests) request.fail(unavailable(error));
    } finally {
      underWay--;
      schedule();
    }
  }

  return {
    take: async (key, quota, cost = 1) =>
      new Promise((answer, fail) => {
        const turn = waiting.get(key.id) ?? { key, quota, requests: [] };
        // The last to arrive has seen the newest state of the key.
        turn.key = key;
        turn.quota = quota;
        turn.requests.push({ cost, answer, fail });
        waiting.set(key.id, turn);
        schedule();
      }),
    peek: async (key, quota, cost) => {
      try {
        const left = Math.max(0, quota - ((await quotaUsed(db, await counterOf(key), monthOf(now()))) ?? 0));
        return { allowed: cost <= left, quota, left };
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}

/** Refuses a request whose key had too little left this month; the answer tells the quota once a tenth or less is left. */
export function admitWithinQuota(response: ServerResponse, count: QuotaCount, now: number): void {
  const { month, untilNext } = secondsOfMonth(now);
  if (count.left * 10 <= count.quota) {
    addItem(response, 'RateLimit-Policy', `"quota";q=${count.quota};w=${month}`);
    addItem(response, 'RateLimit', `"quota";r=${count.left};t=${untilNext}`);
  }
  if (!count.allowed) throw quotaSpent(now);
}

/** The refusal of a request whose key had too little left this month. */
export function quotaSpent(now: number): AppError {
  return new AppError('quota_exceeded', 'quota_spent', {
    headers: { 'Retry-After': String(secondsOfMonth(now).untilNext) },
  });
}

/** Adds to a list behind what the rate limit has put there, in the same line of the header. */
function addItem(response: ServerResponse, name: string, item: string): void {
  const items = response.getHeader(name);
  response.setHeader(name, items === undefined ? item : `${String(items)}, ${item}`);
}

interface Served {
  served: Set<Request>;
  /** The quota left after these requests; below 0 if it was lowered. */
  left: number;
}

/** Spends what the first of them cost, as many as the quota has room for; each further round means others were served. */
async function serve(db: Db, keyId: string, month: string, { quota, requests }: Turn): Promise<Served> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let left = quota;
  for (;;) {
    const served = fitting(requests, left);
    if (served.size === 0) return { served, left };
    const spending = { keyId, month, quota, cost: costOf(served) };
    try {
      const usedNow = await spendQuota(db, spending);
      if (usedNow !== undefined) return { served, left: quota - usedNow };
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

/** The length of the month in seconds, and the seconds left of it: at least 1. */
function secondsOfMonth(now: number): { month: number; untilNext: number } {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const next = Date.UTC(year, month + 1);
  return { month: (next - Date.UTC(year, month)) / 1000, untilNext: Math.max(1, Math.ceil((next - now) / 1000)) };
}
