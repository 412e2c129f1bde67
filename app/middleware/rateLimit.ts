import { principalOf, type Context, type KeyHolder, type Middleware } from '../context.ts';
import type { Rate } from '../domain/rate.ts';
import { AppError } from '../errors.ts';
import { quotaExceeded, type Quotas } from '../keys/quota.ts';
import { callerOf } from '../limits/callerAddress.ts';
import { rateHeaders, tooMany, type Count, type Counter } from '../limits/count.ts';
import type { CountKey } from '../limits/limits.ts';

/** Counts what a key may do: first its burst limit, then its quota, so that a refused burst spends none of that. */
export function keyLimit(countKey: CountKey, quotas: Quotas): Middleware {
  return (ctx, next) => {
    const principal = principalOf(ctx);
    if (principal.type !== 'api_key') return next();
    const count = countKey(principal);
    if (count instanceof Promise || principal.monthlyQuota !== null) return wait(ctx, principal, count, next);
    if (count) admit(ctx, count);
    return next();
  };

  async function wait(
    ctx: Context,
    { id, monthlyQuota }: KeyHolder,
    count: ReturnType<CountKey>,
    next: () => Promise<unknown>,
  ): Promise<void> {
    if (count) admit(ctx, await count);
    if (monthlyQuota !== null && !(await quotas.take(id, monthlyQuota))) throw quotaExceeded(Date.now());
    await next();
  }
}

/**
 * Counts requests that show no valid key by their address. A request with a key is counted only once `authenticate` has
 * refused it, so that whoever shares an address with a guesser keeps working.
 */
export function addressLimit(counter: Counter, rate: Rate | undefined, countKey: CountKey): Middleware {
  return (ctx, next) => (ctx.state.credential?.kind === 'key' ? unlessRefused(ctx, next) : counted(ctx, next));

  async function counted(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    await countAddress(ctx);
    await next();
  }

  async function unlessRefused(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    try {
      await next();
    } catch (error) {
      // Only what the guards refused: a handler runs once access is granted, and its errors are its own.
      if (ctx.state.granted === undefined && isRefusal(error)) await countRefused(ctx);
      throw error;
    }
  }

  async function countAddress(ctx: Context): Promise<void> {
    if (rate) admit(ctx, await counter.take(callerOf(ctx.state.countedAddress), rate));
  }

  /** A key that is valid but may not do this counts for itself, or it could ask without end. */
  async function countRefused(ctx: Context): Promise<void> {
    const { principal } = ctx.state;
    if (principal?.type !== 'api_key') return countAddress(ctx);
    const count = await countKey(principal);
    if (count) admit(ctx, count);
  }
}

function admit(ctx: Context, count: Count): void {
  if (!count.allowed) throw tooMany(count);
  const headers = rateHeaders(count);
  for (const name in headers) ctx.res.setHeader(name, headers[name] ?? '');
}

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.status < 500;
}
