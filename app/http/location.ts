import type { Context } from '../context.ts';

/** The address of a path below the prefix of the request. */
export function locationOf(ctx: Context, path: `/${string}`): string {
  const [prefix = ''] = /^\/api(?:\/v1)?(?=\/)/.exec(ctx.path) ?? [];
  return `${prefix}${path}`;
}
