import type { Context } from '../context.ts';
import { isId } from '../domain/id.ts';
import { AppError } from '../errors.ts';

/** The id in the path; a text that is none is answered as an unknown id is, without asking the database. */
export function pathId(ctx: Context): string {
  const id = pathParam(ctx, 'id');
  if (!isId(id)) throw new AppError('not_found');
  return id;
}

/** What stands in the path in this place. */
export function pathParam(ctx: Context, name: string): string {
  return (ctx as Context & { params?: Record<string, string | undefined> }).params?.[name] ?? '';
}
