import { z } from 'zod';
import type { Middleware } from '../context.ts';
import { parsed } from './input.ts';
import { Flag } from './queryValues.ts';

declare module '../context.ts' {
  interface State {
    /** Whether the caller wants the change although something stands against it. */
    forced?: boolean;
  }
}

/** A marker in a route's stack: it takes `?force=true`. */
export type ForceMarker = Middleware & { force: true };

const ForceQuery = z.strictObject({ force: Flag });

/** States that the route takes `?force=true`; the handler reads `ctx.state.forced`. */
export function takesForce(): ForceMarker {
  const read: Middleware = (ctx, next) => {
    const query = Object.fromEntries(new URLSearchParams(ctx.querystring));
    ctx.state.forced = parsed(ForceQuery, query, 'invalid_query', 'query_not_understood').force;
    return next();
  };
  return Object.assign(read, { force: true as const });
}
