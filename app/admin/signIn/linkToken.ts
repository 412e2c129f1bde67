import type { Context } from '../../context.ts';
import type { Pages } from '../shell/pages.ts';

/** Longer than it takes to sign in on the way. */
const KEPT_SECONDS = 3_600;
const TOKEN = /^[\w-]{43}$/;

type Link = 'invitation' | 'reset';

/**
 * Moves the token of a link from the address into a cookie and leads to the address without it, so that it is in no
 * history, no Referer and no form that leads back; false where the address has none.
 */
export function keepLinkToken(ctx: Context, pages: Pages, link: Link, path: string): boolean {
  const token = new URLSearchParams(ctx.querystring).get('token');
  if (token === null) return false;
  // A text that is no token must not leave another link's behind.
  if (TOKEN.test(token)) pages.cookies.set(ctx, link, token, KEPT_SECONDS);
  else pages.cookies.clear(ctx, link);
  pages.redirect(ctx, path);
  return true;
}

/** The token of the link that this browser opened last; undefined where it opened none. */
export function linkToken(ctx: Context, pages: Pages, link: Link): string | undefined {
  const token = pages.cookies.get(ctx, link);
  return token !== undefined && TOKEN.test(token) ? token : undefined;
}
