import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';

/** Answers what no route has: an unknown path is 404, an unknown method 405 with the known ones. */
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
  const { routesOfPath = [] } = ctx.state;
  return [...new Set(routesOfPath.flatMap(({ methods }) => methods))].sort();
}
