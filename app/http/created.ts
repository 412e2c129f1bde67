import type { Context } from '../context.ts';

/** Answers 201 with the address of the new resource in `Location`, below the prefix of the request. */
export function created(ctx: Context, path: `/${string}`): void {
  ctx.status = 201;
  ctx.set('Location', locationOf(ctx, path));
}

/** The address of a path below the prefix of the request. */
export function locationOf(ctx: Context, path: `/${string}`): string {
  const [prefix = ''] = /^\/api(?:\/v1)?(?=\/)/.exec(ctx.path) ?? [];
  return `${prefix}${path}`;
}
