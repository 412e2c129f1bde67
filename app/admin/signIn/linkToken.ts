import type { Context } from '../../context.ts';
import type { Pages } from '../shell/pages.ts';

/** An hour, in which the person may first have to sign in. */
const KEPT_SECONDS = 3_600;
const TOKEN = /^[\w-]{43}$/;

type Link = 'invitation' | 'reset';

/**
 * Moves the token of a link from the address into a cookie and redirects, so that it is in no history, no Referer and
 * no form; false if the address has none.
 */
export function keepLinkToken(ctx: Context, pages: Pages, link: Link, path: string): boolean {
  const token = new URLSearchParams(ctx.querystring).get('token');
  if (token === null) return false;
  // An invalid token also removes the token of an earlier link.
  if (TOKEN.test(token)) pages.cookies.set(ctx, link, token, KEPT_SECONDS);
  else pages.cookies.clear(ctx, link);
  pages.redirect(ctx, path);
  return true;
}

/** The token of the link that this browser opened last; undefined if it opened none. */
export function linkToken(ctx: Context, pages: Pages, link: Link): string | undefined {
  const token = pages.cookies.get(ctx, link);
  return token !== undefined && TOKEN.test(token) ? token : undefined;
}
