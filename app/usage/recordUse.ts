import type { Context, KeyHolder, Middleware } from '../context.ts';
import { afterwards } from '../http/compose.ts';
import type { Usage, UsageEvent } from './usage.ts';

declare module '../context.ts' {
  interface State {
    /** What a key's log has of a request that another server serves, in place of what was asked of this one. */
    recordedAs?: RecordedAs;
    /** Until the uses of the keys that this request asked about are written. */
    usesWritten?: Promise<void>;
  }
}

/** A request of a key as its log has it; the status is the answer's unless it is told. */
export interface RecordedAs {
  method: string;
  endpoint: string;
  scope: string | null;
  statusCode?: number;
}

/**
 * Notes each request of a key that was accepted, once its answer is known and before it is sent: a missing scope and a spent
 * limit count too, a key that is revoked, expired or elsewhere than it may be does not.
 */
export function recordUse(usage: Usage): Middleware {
  return (ctx, next) =>
    afterwards(next(), () => {
      const { principal, usesWritten } = ctx.state;
      // What is recorded in one turn is written together.
      const written = principal?.type === 'api_key' ? usage.record(useOf(ctx, principal)) : undefined;
      return usesWritten && written ? usesWritten.then(async () => written) : (usesWritten ?? written);
    });
}

function useOf(ctx: Context, holder: KeyHolder): UsageEvent {
  const { id, name, home } = holder;
  const { address, recordedAs, requestId, startedAt, route } = ctx.state;
  return {
    tenantId: home.id,
    keyId: id,
    keyName: name,
    method: recordedAs?.method ?? ctx.method,
    endpoint: recordedAs?.endpoint ?? route?.path ?? 'unknown',
    statusCode: recordedAs?.statusCode ?? ctx.status,
    scope: recordedAs ? recordedAs.scope : scopeOf(ctx, holder),
    ip: address,
    userAgent: ctx.get('User-Agent') || null,
    responseMs: performance.now() - startedAt,
    at: Date.now(),
    requestId,
  };
}

/** What the route asks a key for; of two scopes that would do, the one that the key has. */
function scopeOf(ctx: Context, { scopes }: KeyHolder): string | null {
  const asked = ctx.state.route?.scopes ?? [];
  return asked.find((scope) => scopes.covers(scope)) ?? asked[0] ?? null;
}
