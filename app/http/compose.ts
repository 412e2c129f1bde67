import type { Middleware } from '../context.ts';

/**
 * Makes one middleware of several. Each is called with the next one as it stands: where none of them waits there is no
 * promise between them, and what one throws at once is thrown by the whole. All middlewares of a request share one `next`,
 * which each may call once.
 */
export function compose(middlewares: readonly Middleware[]): Middleware {
  const [only] = middlewares;
  if (only && middlewares.length === 1) return only;
  return (ctx, after) => {
    let place = 0;
    const next = (): Promise<unknown> => {
      const middleware = middlewares[place++];
      return (middleware ? middleware(ctx, next) : after()) as Promise<unknown>;
    };
    return next();
  };
}

/** Does the work with what was waited for, or at once where there was nothing to wait for. */
export function afterwards<T>(given: Promise<T> | undefined, work: (found?: T) => unknown): Promise<unknown> {
  return (given instanceof Promise ? given.then(work) : work()) as Promise<unknown>;
}

/** Lets `recover` answer for whatever the next middlewares throw, at once or later. */
export function recovering(next: () => Promise<unknown>, recover: (error: unknown) => unknown): Promise<unknown> {
  try {
    const given = next() as Promise<unknown> | undefined;
    return (given instanceof Promise ? given.then(undefined, recover) : given) as Promise<unknown>;
  } catch (error) {
    return recover(error) as Promise<unknown>;
  }
}
