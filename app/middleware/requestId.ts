import { randomBytes } from 'node:crypto';
import type { Middleware } from '../context.ts';

const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/;

/** Names each request; a proxy's own name for it is kept only where a proxy is trusted. */
export function requestId(trustedHops: number): Middleware {
  const newRequestId = requestIds();
  return (ctx, next) => {
    const given = trustedHops > 0 ? ctx.get('X-Request-Id') : '';
    ctx.state.requestId = WELL_FORMED.test(given) ? given : newRequestId();
    ctx.state.startedAt = performance.now();
    ctx.res.setHeader('X-Request-Id', ctx.state.requestId);
    return next();
  };
}

/** Names that no other process gives: its own random part, then a counter, since a random name each would cost more. */
function requestIds(): () => string {
  const process = randomBytes(9).toString('base64url');
  let count = 0;
  return () => `${process}-${(++count).toString(36)}`;
}
