import type { Context } from '../context.ts';
import { ownPath, pathOfUrl } from './ownPath.ts';

/** Whether htmx asks, and gets a part of a page instead of a whole one. */
export function isPartial(ctx: Context): boolean {
  return ctx.get('HX-Request') === 'true';
}

/** The address that was asked for without the fields of a form that were left empty. */
export function shortAddress(ctx: Context): string {
  return addressOf(ctx.path, new URLSearchParams(ctx.querystring));
}

/** The address of a page that is narrowed by fields, of which empty ones say nothing. */
export function addressOf(path: string, fields: URLSearchParams | Readonly<Record<string, string>>): string {
  const named = [...new URLSearchParams(fields)].filter(([, value]) => value.trim() !== '');
  return named.length === 0 ? path : `${path}?${new URLSearchParams(named).toString()}`;
}

/** Redirects the browser to a page of the admin, with the header that htmx follows if htmx asks. */
export function redirect(ctx: Context, path: string): void {
  if (isPartial(ctx)) {
    ctx.status = 204;
    ctx.set('HX-Redirect', path);
    return;
  }
  ctx.status = 303;
  ctx.set('Location', path);
}

/**
 * Leads to the login and from there back to the page the reader was on. htmx is answered by 401: it would follow a
 * redirect itself and put the login into a corner of the page.
 */
export function redirectToLogin(ctx: Context): void {
  const next = pageOf(ctx);
  const login = next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`;
  redirect(ctx, login);
  if (isPartial(ctx)) {
    ctx.status = 401;
    ctx.body = '';
  }
}

/** The page the reader is on: the one asked for, or the one that a form or a part was sent from. */
function pageOf(ctx: Context): string | undefined {
  if (isPartial(ctx)) return pathOfUrl(ctx.get('HX-Current-URL'));
  return ctx.method === 'GET' ? ownPath(ctx.originalUrl) : pathOfUrl(ctx.get('Referer'));
}
