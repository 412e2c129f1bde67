import type { Context } from '../context.ts';

/** Answers 201 and tells in `Location` where the thing that was made is, below the prefix that the request came by. */
export function created(ctx: Context, path: `/${string}`): void {
  const [prefix = ''] = /^\/api(?:\/v1)?(?=\/)/.exec(ctx.path) ?? [];
  ctx.status = 201;
  ctx.set('Location', `${prefix}${path}`);
}
