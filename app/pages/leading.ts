import type { Context } from '../context.ts';
import { ownPath, pathOfUrl } from './ownPath.ts';

/** Whether htmx asks, and gets a part of a page instead of a whole one. */
export function isPartial(ctx: Context): boolean {
  return ctx.get('HX-Request') === 'true';
}

/** The address that was asked for without the fields of a form that were left empty. */
export function shortAddress(ctx: Context): string {
  const fields = [...new URLSearchParams(ctx.querystring)].filter(([, value]) => value.trim() !== '');
  return fields.length === 0 ? ctx.path : `${ctx.path}?${new URLSearchParams(fields).toString()}`;
}

/** Leads the browser to a page of ours: by a redirect, or by the header that htmx follows with the whole window. */
export function lead(ctx: Context, path: string): void {
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
export function leadToLogin(ctx: Context): void {
  const next = pageOf(ctx);
  const login = next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`;
  lead(ctx, login);
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
