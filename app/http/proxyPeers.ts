import type { Socket } from 'node:net';
import type { Middleware } from '../context.ts';
import { normaliseAddress, type Networks } from '../domain/network.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';

/** How long the log says nothing more of refused addresses after a line about one. */
const QUIET_MS = 60_000;

/**
 * Lets in who connects from one of the configured addresses and refuses everybody else, by the socket's address: what a proxy
 * says of its client is believed here, so that it must be a proxy.
 */
export function onlyFromPeers(peers: Networks, log: Pick<Log, 'warn'>): Middleware {
  // A connection's address never changes, and proxies keep theirs.
  const known = new WeakSet<Socket>();
  let quietUntil = 0;

  return (ctx, next) => {
    const { socket } = ctx.req;
    if (known.has(socket)) return next();
    const address = normaliseAddress(socket.remoteAddress ?? '');
    if (address === undefined || !peers.contains(address)) {
      warn(address ?? 'unknown');
      throw new AppError('proxy_not_configured', 'proxy_not_configured');
    }
    known.add(socket);
    return next();
  };

  function warn(address: string): void {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    log.warn(
      { address },
      'refused a question of forward-auth from an address that is not in FORWARD_AUTH_PEERS: add it there if it is your proxy',
    );
  }
}
