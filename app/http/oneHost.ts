import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';

/** Refuses a request with two hosts, which HTTP calls malformed: proxies and we could take it for different hosts. */
export const oneHost: Middleware = (ctx, next) => {
  if (countHosts(ctx) > 1) throw new AppError('bad_request', 'bad_request', { headers: { Connection: 'close' } });
  return next();
};

/** Node keeps the first of several in `headers`. */
function countHosts(ctx: Context): number {
  const { rawHeaders } = ctx.req;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
