import type { Middleware } from '../context.ts';
import { isApiPath } from './apiPaths.ts';

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The headers of every answer, errors included; static files replace `no-store`. */
const ALWAYS: [string, string][] = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
];

/** The headers of pages, which tell the browser what a page may do. */
const PAGE: [string, string][] = [
  ['Content-Security-Policy', CONTENT_SECURITY_POLICY],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'same-origin'],
  ['X-Frame-Options', 'DENY'],
];

/** Sets the headers before any other middleware can fail; API answers get only those that matter to API clients. */
export function securityHeaders(publicUrl: string): Middleware {
  const transport: [string, string][] = publicUrl.startsWith('https:')
    ? [['Strict-Transport-Security', 'max-age=31536000']]
    : [];
  const api = [...ALWAYS, ...transport];
  const page = [...api, ...PAGE];
  return (ctx, next) => {
    for (const [name, value] of isApiPath(ctx.path) ? api : page) ctx.res.setHeader(name, value);
    return next();
  };
}
