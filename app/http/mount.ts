import Router from '@koa/router';
import type { Middleware, State } from '../context.ts';
import { ROUTER } from './router.ts';
import { ServedRoutes } from './servedRoutes.ts';

/** Routers behind one prefix and the same guards, and the middleware that hands each request to its route. */
export interface Mount {
  routers: Router<State>[];
  middleware: Middleware;
}

/**
 * Puts each router below the prefix and behind the guards. A request goes straight to the router of its first segment,
 * so that its cost does not grow with the number of routes.
 */
export function mount(prefix: string, guards: readonly Middleware[], routers: readonly Router<State>[]): Mount {
  const prefixed = routers.map((inner) => new Router<State>({ ...ROUTER, prefix }).use(inner.routes()));
  const segmentOf = segmentsAfter(prefix);
  const bySegment = new Map<string, ServedRoutes>();
  for (const router of prefixed) {
    const layers = router.stack.filter((layer) => layer.methods.length > 0);
    const routes = new ServedRoutes(layers, guards);
    for (const segment of new Set(layers.map(({ path }) => fixedSegmentOf(String(path), segmentOf)))) {
      // The second router would get no request of its segment.
      if (bySegment.has(segment)) throw new Error(`two routers have routes below ${prefix}/${segment}`);
      bySegment.set(segment, routes);
    }
  }
  return {
    routers: prefixed,
    middleware: (ctx, next) => {
      const { path } = ctx;
      const segment = segmentOf(path);
      const found = (segment === undefined ? undefined : bySegment.get(segment))?.of(path);
      if (found === undefined || found.length === 0) return next();
      const { state, method } = ctx;
      state.routesOfPath = state.routesOfPath ? [...state.routesOfPath, ...found] : found;
      const route = found.find(({ methods }) => methods.includes(method));
      if (!route) return next();
      state.route = route;
      return route.run(ctx, next) as Promise<unknown>;
    },
  };
}

type SegmentOf = (path: string) => string | undefined;

function fixedSegmentOf(path: string, segmentOf: SegmentOf): string {
  const segment = segmentOf(path);
  // An empty segment is the prefix with a slash behind it, such as the front page.
  if (segment === undefined || segment.startsWith(':')) throw new Error(`${path} does not begin with a fixed segment`);
  return segment;
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
