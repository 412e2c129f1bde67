import { createServer, type RequestListener, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import { ConfigError } from './config.ts';
import { metricsRegistry } from './api/metrics.ts';
import { listen } from './server.ts';
import type { Services } from './services.ts';

/** The loopback addresses, which only this machine can reach. */
const LOOPBACK = ['127.0.0.1', '::1'];
/** A machine without IPv6 has no `::1`. */
const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Serves the metrics without a password on METRICS_PORT, on loopback alone; where none is set nothing listens. */
export async function listenForMetrics(services: Services): Promise<{ close: () => Promise<void> }> {
  const { metricsPort } = services.config;
  if (metricsPort === undefined) return { close: async () => undefined };
  const answer = answerWith(metricsRegistry(services));
  const servers: Server[] = [];
  for (const host of LOOPBACK) {
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, answer);
    if (await listens(server, metricsPort, host)) servers.push(server);
  }
  services.log.info(`metrics are on http://127.0.0.1:${metricsPort}/metrics`);
  return {
    close: async () => {
      await Promise.all(servers.map(closed));
    },
  };
}

async function listens(server: Server, port: number, host: string): Promise<boolean> {
  try {
    await listen(server, port, host);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (host === '::1' && NO_IPV6.has(String(code))) return false;
    if (code === 'EADDRINUSE') throw new ConfigError(`METRICS_PORT ${port} is already in use: choose another port`);
    if (code === 'EACCES') throw new ConfigError(`METRICS_PORT ${port} is not for this user: set it to 1024 or above`);
    throw error;
  }
}

function answerWith(registry: Registry): RequestListener {
  return (request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (path !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  };
}

async function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await done;
}
