import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './app.ts';
import type { Services } from './services.ts';

/** How long proxies have to notice that readiness is gone, and keep-alive clients to be told to close. */
const NOTICE_MS = 5_000;
/** What running requests may take after that. */
const DRAIN_MS = 15_000;

/** The HTTP server with the time limits of a public one; it does not listen yet. */
export function createHttpServer(services: Services): Server {
  const handle = createApp(services).callback();
  const { readiness } = services;
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      // Longer than the idle time of the proxies in front, so that they close first and never write to a closed socket.
      keepAliveTimeout: 95_000,
      connectionsCheckingInterval: 5_000,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      if (hasTwoHosts(request)) {
        response.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end();
        return;
      }
      if (readiness.stopping) response.setHeader('Connection', 'close');
      void handle(request, response);
    },
  );
  // Node would drop the headers after the 1,000th, credentials and addresses among them; their size is bounded anyway.
  server.maxHeadersCount = 0;
  server.on('clientError', refuseMalformed);
  return server;
}

/** Resolves once the port answers; rejects with the reason when it cannot be had. */
export async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Left out, `::` becomes 0.0.0.0 on a machine without IPv6.
    server.listen(port, host === '::' ? undefined : host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops without failing a request: first readiness says no, then connections end as they answer, then the rest is cut. */
export async function drain(server: Server, readiness: Services['readiness']): Promise<void> {
  readiness.stopping = true;
  await untilNoConnections(server, NOTICE_MS);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const abandoned = new AbortController();
  await Promise.race([closed, delay(DRAIN_MS, undefined, { signal: abandoned.signal })]);
  abandoned.abort();
  server.closeAllConnections();
}

async function untilNoConnections(server: Server, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && (await connectionCount(server)) > 0) await delay(50);
}

async function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}

/** Proxies and we could take two hosts for different ones; HTTP says that such a request is malformed. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

const REFUSALS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is not HTTP never becomes a request; it is told so and cut off. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${REFUSALS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
