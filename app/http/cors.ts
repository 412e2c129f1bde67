import type { Context, Middleware } from '../context.ts';

/** What browsers may be called for: the API without support staff's part, whose password no website is to ask for. */
const PATHS = /^\/(?:api(?!\/admin(?:\/|$))|oauth)(?:\/|$)/;

const ALLOWED_HEADERS = [
  'Authorization',
  'X-API-Key',
  'X-Tenant-Id',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
].join(', ');

const EXPOSED_HEADERS = [
  ...['RateLimit', 'RateLimit-Policy', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
  ...['Retry-After', 'ETag', 'Location', 'X-Request-Id', 'Idempotency-Replayed', 'WWW-Authenticate'],
].join(', ');

/** How long a browser may remember what a preflight was answered; a named origin that is taken away is gone by then. */
const MAX_AGE_SECONDS = '600';

/**
 * Lets pages of these origins call the API from a browser, and read its answers and refusals. Cookies are never allowed, so
 * a page can do no more than it could with the same key or token elsewhere.
 */
export function cors(origins: readonly string[]): Middleware {
  if (origins.length === 0) return (_ctx, next) => next();
  const named = new Set(origins);
  return async (ctx, next) => {
    const origin = ctx.get('Origin');
    const isCors = PATHS.test(ctx.path);
    if (isCors) ctx.vary('Origin');
    const isNamed = isCors && named.has(origin);
    if (isNamed) {
      ctx.set('Access-Control-Allow-Origin', origin);
      ctx.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    await next();
    if (isNamed && isPreflight(ctx)) allow(ctx);
  };
}

function isPreflight(ctx: Context): boolean {
  return ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== '';
}

/** The methods are those that the path takes, which `unknownRoute` has found. */
function allow(ctx: Context): void {
  ctx.set('Access-Control-Allow-Methods', ctx.response.get('Allow'));
  ctx.set('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  ctx.set('Access-Control-Max-Age', MAX_AGE_SECONDS);
}
