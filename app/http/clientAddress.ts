import { normaliseAddress } from '../domain/network.ts';
import type { Context, Middleware } from '../context.ts';

/**
 * Learns the caller's address: the socket's own, or the one written by the outermost proxy we trust. Where that proxy's
 * header is missing, short or unreadable the address is unknown, and limits count by the socket's.
 */
export function clientAddress(trustedHops: number): Middleware {
  return (ctx, next) => {
    const socket = normaliseAddress(ctx.req.socket.remoteAddress ?? '') ?? null;
    const address = trustedHops > 0 ? forwardedAddress(ctx, trustedHops) : socket;
    ctx.state.address = address;
    ctx.state.countedAddress = address ?? socket ?? '0.0.0.0';
    return next();
  };
}

function forwardedAddress(ctx: Context, trustedHops: number): string | null {
  // Each trusted proxy appends the address it saw; the client itself wrote what is further left.
  const hops = ctx.get('X-Forwarded-For').split(',');
  const forwarded = hops[hops.length - trustedHops]?.trim() ?? '';
  return normaliseAddress(forwarded) ?? normaliseAddress(withoutPort(forwarded)) ?? null;
}

const WITH_PORT = /^(?:\[(?<ipv6>[^\]]+)\](?::\d{1,5})?|(?<ipv4>[\d.]+):\d{1,5})$/;

/** The address in `1.2.3.4:port` and `[v6]:port`, as some proxies write it. */
function withoutPort(forwarded: string): string {
  const { ipv4, ipv6 } = WITH_PORT.exec(forwarded)?.groups ?? {};
  if (ipv6 !== undefined) return ipv6.includes(':') ? ipv6 : '';
  return ipv4 ?? '';
}
