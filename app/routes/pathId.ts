import type { Context } from '../context.ts';
import { isId } from '../domain/id.ts';
import { AppError } from '../errors.ts';

/** The id in the path; a text that is none is answered as an unknown id is, without asking the database. */
export function idOf(ctx: Context): string {
  const { id } = (ctx as Context & { params?: Record<string, string | undefined> }).params ?? {};
  if (id === undefined || !isId(id)) throw new AppError('not_found');
  return id;
}
