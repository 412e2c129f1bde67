import type { Context } from '../context.ts';
import { isId } from '../domain/id.ts';
import { AppError } from '../errors.ts';

/** The id in the path; text that is no id is 404 like an unknown id, without a query. */
export function pathId(ctx: Context): string {
  const id = pathParam(ctx, 'id');
  if (!isId(id)) throw new AppError('not_found');
  return id;
}

/** The path parameter of this name. */
export function pathParam(ctx: Context, name: string): string {
  return ctx.state.pathParams?.[name] ?? '';
}
