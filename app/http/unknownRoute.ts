import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';

/** The last stop: a path nobody serves is 404, a method it does not know is 405 and names those it does. */
export const unknownRoute: Middleware = async (ctx) => {
  const methods = methodsOf(ctx);
  if (methods.length === 0) throw new AppError('not_found', 'nothing_here');
  const allow = methods.join(', ');
  if (ctx.method === 'OPTIONS') {
    ctx.status = 204;
    ctx.set('Allow', allow);
    return;
  }
  throw new AppError(
    'method_not_allowed',
    { key: 'address_takes', values: { methods: allow } },
    { headers: { Allow: allow } },
  );
};

/** The methods of every route that matched this path in any router. */
function methodsOf(ctx: Context): string[] {
  const { matched = [] } = ctx as { matched?: { methods: string[] }[] };
  return [...new Set(matched.flatMap((layer) => layer.methods))].sort();
}
