import type { Context } from '../context.ts';

/** Answers 201 with the address of the new resource in `Location`, below the prefix of the request. */
export function created(ctx: Context, path: `/${string}`): void {
  const [prefix = ''] = /^\/api(?:\/v1)?(?=\/)/.exec(ctx.path) ?? [];
  ctx.status = 201;
  ctx.set('Location', `${prefix}${path}`);
}
