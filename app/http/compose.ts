import type { Middleware } from '../context.ts';

/**
 * Makes one middleware of several. Each is called with the next one as it stands: where none of them waits there is no
 * promise between them, and what one throws at once is thrown by the whole.
 */
export function compose(middlewares: readonly Middleware[]): Middleware {
  const [first, ...others] = middlewares;
  if (!first) return (_ctx, next) => next();
  if (others.length === 0) return first;
  const rest = compose(others);
  return (ctx, next) => first(ctx, () => rest(ctx, next) as Promise<unknown>) as Promise<unknown>;
}
