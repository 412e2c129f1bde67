import { randomBytes } from 'node:crypto';
import type { Middleware } from '../context.ts';

const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/;

/** Of the process and in the order they came: they tell requests apart, and nobody gains by guessing one. */
const PROCESS = randomBytes(9).toString('base64url');
let requests = 36 ** 3;
const newName = () => `${PROCESS}-${(requests++).toString(36)}`;

/** Names each request; a proxy's own name for it is kept only where a proxy is trusted. */
export function requestId(trustedHops: number): Middleware {
  return (ctx, next) => {
    const given = trustedHops > 0 ? ctx.get('X-Request-Id') : '';
    ctx.state.requestId = WELL_FORMED.test(given) ? given : newName();
    ctx.state.startedAt = performance.now();
    ctx.res.setHeader('X-Request-Id', ctx.state.requestId);
    return next();
  };
}
