import type { Context, Middleware } from '../context.ts';
import { problemOf } from '../errors.ts';
import type { Usage } from '../keys/usage.ts';
import { accessOf, routeOf } from '../routes/access.ts';

/** Notes each request of a key once its status is known and before it is answered; stands around the guards, so that what they refuse counts too. */
export function recordUse(usage: Usage): Middleware {
  return async (ctx, next) => {
    let refused: number | undefined;
    try {
      await next();
    } catch (error) {
      refused = problemOf(error).status;
      throw error;
    } finally {
      await note(usage, ctx, refused ?? ctx.status);
    }
  };
}

async function note(usage: Usage, ctx: Context, statusCode: number): Promise<void> {
  const { principal, address, requestId, startedAt } = ctx.state;
  if (principal?.type !== 'api_key') return;
  await usage.record({
    tenantId: principal.tenant.id,
    keyId: principal.id,
    keyName: principal.name,
    method: ctx.method,
    endpoint: String(routeOf(ctx)?.path ?? 'unknown'),
    statusCode,
    scope: scopeOf(ctx),
    ip: address,
    userAgent: ctx.get('User-Agent') || null,
    responseMs: performance.now() - startedAt,
    at: Date.now(),
    requestId,
  });
}

/** What the route asks a key for. */
function scopeOf(ctx: Context): string | null {
  const access = accessOf(ctx);
  if (access?.kind === 'scope') return access.scope;
  return access?.kind === 'permission' ? (access.keyScope ?? null) : null;
}
