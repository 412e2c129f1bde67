import type { Middleware } from '../context.ts';
import type { Log } from '../log.ts';
import { afterwards } from './compose.ts';

/** One line a request. The route is logged, not the address asked for: that may hold what people paste by mistake. */
export function requestLog(log: Log): Middleware {
  if (!log.isLevelEnabled('info')) return (_ctx, next) => next();
  return (ctx, next) =>
    // Every error became an answer before it comes here.
    afterwards(next(), () => {
      const { requestId, startedAt, address, route } = ctx.state;
      log.request({
        requestId,
        method: ctx.method,
        route: route?.path ?? '',
        status: ctx.status,
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
        address: address ?? 'unknown',
      });
    });
}
