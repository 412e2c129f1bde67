import { principalOf, type Context, type KeyHolder, type Middleware } from '../context.ts';
import type { Rate } from '../domain/rate.ts';
import { AppError } from '../errors.ts';
import { recovering } from '../http/compose.ts';
import { admitWithinQuota, type Quotas } from './quota.ts';
import { rateHeaders, rateLimited, type Count, type Counter } from './count.ts';
import type { CountedKey } from './keyCounters.ts';
import type { SpentAddresses } from './spentAddresses.ts';

/** What decides how often a key may come. */
export type LimitedKey = CountedKey & Pick<KeyHolder, 'rateLimit'>;

/** Counts a request of this key, at a cost of 1 unless told; undefined where nothing limits it. */
export type CountKey = (key: LimitedKey, cost?: number) => Count | Promise<Count> | undefined;

/** Counts a request of the person with this id; undefined where nothing limits people. */
export type CountPerson = (id: string) => Count | Promise<Count> | undefined;

/**
 * Counts what a key may do: first its burst limit, then its quota, so that a refused burst spends none of that. A person
 * has one limit over all their tokens and addresses.
 */
export function callerLimit(countKey: CountKey, countPerson: CountPerson, quotas: Quotas): Middleware {
  return (ctx, next) => {
    const principal = principalOf(ctx);
    const key = principal.type === 'api_key' ? principal : undefined;
    const count = key ? countKey(key) : countPerson(principal.id);
    if (count instanceof Promise || (key && key.monthlyQuota !== null)) return wait(ctx, key, count, next);
    if (count) admit(ctx, count);
    return next();
  };

  async function wait(
    ctx: Context,
    key: KeyHolder | undefined,
    count: ReturnType<CountKey>,
    next: () => Promise<unknown>,
  ): Promise<void> {
    if (count) admit(ctx, await count);
    if (key && key.monthlyQuota !== null) {
      admitWithinQuota(ctx.res, await quotas.take(key, key.monthlyQuota), Date.now());
    }
    await next();
  }
}

/** What refused requests of valid credentials are counted by, and where addresses over their limit are noted. */
interface AddressLimits {
  countKey: CountKey;
  countPerson: CountPerson;
  spent: SpentAddresses;
}

/**
 * Counts requests that show neither a valid key nor a valid token by their address. A request with a credential is counted
 * only once `authenticate` has refused it, so that whoever shares an address with a guesser keeps working.
 */
export function addressLimit(
  counter: Counter,
  rate: Rate | undefined,
  { countKey, countPerson, spent }: AddressLimits,
): Middleware {
  return (ctx, next) =>
    ctx.state.credential ? recovering(next, async (error) => refused(ctx, error)) : counted(ctx, next);

  async function counted(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    await countAddress(ctx);
    await next();
  }

  async function refused(ctx: Context, error: unknown): Promise<void> {
    // Only what the guards refused: a handler runs once access is granted, and its errors are its own.
    if (ctx.state.granted === undefined && isRefusal(error)) await countRefused(ctx);
    throw error;
  }

  async function countAddress(ctx: Context): Promise<void> {
    if (!rate) return;
    const count = await counter.take(ctx.state.countedAddress, rate);
    spent.note(count);
    admit(ctx, count);
  }

  /** Who is valid but may not do this counts for themselves, or they could ask without end. */
  async function countRefused(ctx: Context): Promise<void> {
    const { principal, personId } = ctx.state;
    if (principal?.type !== 'api_key' && personId === undefined) return countAddress(ctx);
    const count = await (principal?.type === 'api_key' ? countKey(principal) : countPerson(personId ?? ''));
    if (count) admit(ctx, count);
  }
}

function admit(ctx: Context, count: Count): void {
  if (!count.allowed) throw rateLimited(count);
  const headers = rateHeaders(count);
  for (const name in headers) ctx.res.setHeader(name, headers[name] ?? '');
}

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.status < 500;
}
