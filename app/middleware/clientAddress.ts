import { normaliseAddress } from '../domain/network.ts';
import type { Context, Middleware } from '../context.ts';

/** Learns the caller's address: the socket's own, or the one written by the outermost proxy we trust. */
export function clientAddress(trustedHops: number): Middleware {
  return (ctx, next) => {
    ctx.state.address = addressOf(ctx, trustedHops);
    return next();
  };
}

function addressOf(ctx: Context, trustedHops: number): string {
  const socket = ctx.req.socket.remoteAddress ?? '';
  if (trustedHops > 0) {
    // Each trusted proxy appends the address it saw; what stands further left is the client's own writing.
    const hops = ctx.get('X-Forwarded-For').split(',');
    const told = normaliseAddress(hops[hops.length - trustedHops]?.trim() ?? '');
    if (told !== undefined) return told;
  }
  return normaliseAddress(socket) ?? '0.0.0.0';
}
