import Router from '@koa/router';
import compose from 'koa-compose';
import type { Middleware, State } from '../context.ts';
import { ROUTER } from './router.ts';

/** Routers behind one prefix and the same guards, and the middleware that hands each request to its router. */
export interface Mount {
  routers: Router<State>[];
  middleware: Middleware;
}

/**
 * Puts each router below the prefix and behind the guards. A request goes straight to the router of its first segment,
 * so that its cost does not grow with the number of routes.
 */
export function mount(prefix: string, guards: readonly Middleware[], routers: readonly Router<State>[]): Mount {
  const guarded = routers.map((inner) => behind(prefix, guards, inner));
  const segmentOf = segmentsAfter(prefix);
  const bySegment = new Map<string, Middleware>();
  for (const router of guarded) {
    const middleware = router.routes() as Middleware;
    for (const segment of new Set(firstSegments(router, segmentOf))) {
      // The second router would get no request of its segment.
      if (bySegment.has(segment)) throw new Error(`two routers have routes below ${prefix}/${segment}`);
      bySegment.set(segment, middleware);
    }
  }
  return {
    routers: guarded,
    middleware: (ctx, next) => {
      const segment = segmentOf(ctx.path);
      const found = segment === undefined ? undefined : bySegment.get(segment);
      return found ? (found(ctx, next) as Promise<void>) : next();
    },
  };
}

function behind(prefix: string, guards: readonly Middleware[], inner: Router<State>): Router<State> {
  const router = new Router<State>({ ...ROUTER, prefix });
  // As one, since the router looks for each that it is given among the routes of each request.
  if (guards.length > 0) router.use(compose([...guards]));
  return router.use(inner.routes());
}

type SegmentOf = (path: string) => string | undefined;

function firstSegments(router: Router<State>, segmentOf: SegmentOf): string[] {
  return router.stack
    .filter((layer) => layer.methods.length > 0)
    .map((layer) => {
      const segment = segmentOf(String(layer.path));
      // An empty segment is the prefix with a slash behind it, such as the front page.
      if (segment === undefined || segment.startsWith(':'))
        throw new Error(`${String(layer.path)} does not begin with a fixed segment`);
      return segment;
    });
}

/** Finds the first segment of a path after the prefix, of which a parameter such as `:slug` is any one segment. */
function segmentsAfter(prefix: string): SegmentOf {
  if (prefix.includes(':')) {
    const pattern = new RegExp(`^${prefix.replace(/:\w+/g, '[^/]+')}/([^/]*)`);
    return (path) => pattern.exec(path)?.[1];
  }
  const start = prefix.length + 1;
  return (path) => {
    if (path[start - 1] !== '/' || !path.startsWith(prefix)) return undefined;
    const end = path.indexOf('/', start);
    return end === -1 ? path.slice(start) : path.slice(start, end);
  };
}
