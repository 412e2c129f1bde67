import type { Middleware } from '../context.ts';
import { problemOf } from '../errors.ts';
import { routeOf } from '../routes/access.ts';
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
          route: routeOf(ctx)?.path,
          status: status ?? ctx.status,
          ms: Math.round((performance.now() - ctx.state.startedAt) * 10) / 10,
          address: ctx.state.address,
        },
        'request',
      );
    }
  };
}
