import type { Middleware } from '../context.ts';

const API = '/api/';

/** Takes one slash from the end of an API's path, which clients add without meaning another address; pages keep theirs. */
export const trailingSlash: Middleware = (ctx, next) => {
  const { path } = ctx;
  if (path.endsWith('/') && path.startsWith(API) && !path.endsWith('//')) ctx.path = path.slice(0, -1);
  return next();
};
