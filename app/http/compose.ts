import type { Middleware } from '../context.ts';

/**
 * Makes one middleware of several. Each is called with the next one as it stands: where none of them waits there is no
 * promise between them, and what one throws at once is thrown by the whole. One that passes on twice throws, since the
 * second time would leave out a guard that is still waiting.
 */
export function compose(middlewares: readonly Middleware[]): Middleware {
  const [only] = middlewares;
  if (only && middlewares.length === 1) return only;
  return (ctx, after) => {
    let reached = -1;
    const run = (place: number): Promise<unknown> => {
      if (place <= reached) throw new Error('a middleware has passed on twice');
      reached = place;
      const middleware = middlewares[place];
      return (middleware ? middleware(ctx, () => run(place + 1)) : after()) as Promise<unknown>;
    };
    return run(0);
  };
}

/** Does the work with what was waited for, or at once where there was nothing to wait for. */
export function afterwards<T>(given: Promise<T> | undefined, work: (found?: T) => unknown): Promise<unknown> {
  return (isWaitedFor(given) ? given.then(work) : work()) as Promise<unknown>;
}

/** Lets `recover` answer for whatever the next middlewares throw, at once or later. */
export function recovering(next: () => Promise<unknown>, recover: (error: unknown) => unknown): Promise<unknown> {
  try {
    const given: unknown = next();
    return (isWaitedFor(given) ? given.then(undefined, recover) : given) as Promise<unknown>;
  } catch (error) {
    return recover(error) as Promise<unknown>;
  }
}

/** Whether a middleware gave a promise, or what is awaited like one, such as a query of Knex. */
function isWaitedFor(given: unknown): given is Promise<unknown> {
  return typeof (given as { then?: unknown } | null | undefined)?.then === 'function';
}
