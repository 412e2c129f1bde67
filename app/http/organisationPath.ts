import { principalOf, type Context } from '../context.ts';

/** Below this stand all pages of an organisation, which is named by its slug here and nowhere else. */
export const ORGANISATION = '/admin/org/:slug';

/** The address of a page of the organisation that the request is about, such as `/api-keys`. */
export function organisationPath(ctx: Context, page = ''): string {
  return pathOfOrganisation(principalOf(ctx).tenant, page);
}

/** The address of a page of this organisation; without a page, the one that leads to the first page open to the reader. */
export function pathOfOrganisation({ slug }: { slug: string }, page = ''): string {
  return ORGANISATION.replace(':slug', slug) + page;
}

/** The slug in the address of a page of an organisation; undefined for any other address. */
export function slugInPath(path: string): string | undefined {
  return /^\/admin\/org\/([^/]*)/.exec(path)?.[1];
}
