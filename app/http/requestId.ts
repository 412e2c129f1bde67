import { randomUUID } from 'node:crypto';
import type { Middleware } from '../context.ts';

const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/;

/** UUIDs with a prefix of the process and a counter: they need not be unguessable. */
const OF_PROCESS = randomUUID().slice(0, -12);
let requests = 0;
const newName = () => OF_PROCESS + (requests++).toString(16).padStart(12, '0');

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
