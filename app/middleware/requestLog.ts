import type { Context, Middleware } from '../context.ts';
import { problemOf } from '../errors.ts';
import type { Log } from '../log.ts';

/** One line a request. The route is logged, not the address asked for: that may hold what people paste by mistake. */
export function requestLog(log: Log): Middleware {
  return async (ctx, next) => {
    let status: number | undefined;
    try {
      await next();
    } catch (error) {
      status = problemOf(error).status;
      throw error;
    } finally {
      log.info(
        {
          requestId: ctx.state.requestId,
          method: ctx.method,
          route: routeOf(ctx),
          status: status ?? ctx.status,
          ms: Math.round((performance.now() - ctx.state.startedAt) * 10) / 10,
          address: ctx.state.address,
        },
        'request',
      );
    }
  };
}

/** The pattern of the route that answered, such as `/api/api-keys/:id`; undefined where none did. */
export function routeOf(ctx: Context): string | undefined {
  const matched = (ctx as { _matchedRoute?: unknown })._matchedRoute;
  return typeof matched === 'string' ? matched : undefined;
}
