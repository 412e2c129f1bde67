import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { createApp } from './app.ts';
import { FlatHeadersResponse } from './http/flatHeaders.ts';
import type { Services } from './services.ts';
import { debounce, delay, nextTurn, waitAtMost } from './timing.ts';

/** How long proxies have to notice that readiness is gone, while everything else is answered as before. */
const PROXY_NOTICE_MS = 5_000;
/** How long the port waits for a turn without a new connection before it closes. */
const QUIET_TURN_MS = 2_000;
/** How long kept connections have to ask once more and be told to close, before the idle ones are closed. */
const KEEP_ALIVE_CLOSE_MS = 2_000;
/** How long running requests may take after that. */
const DRAIN_MS = 15_000;
/** How long a connection may be silent while it is answered; Node lets a client that takes nothing of its answer twice that. */
const STALLED_MS = 60_000;
/** How long the client of a connection that is refused has to read why, and to close its end. */
const REFUSED_MS = 1_000;

/** The HTTP server with the time limits of a public one; it does not listen yet. */
export function createHttpServer(services: Services): Server {
  const handle = createApp(services).callback();
  /** Asks for the connection's end once the port is closed, also where the request began before that. */
  class Response<Request extends IncomingMessage> extends FlatHeadersResponse<Request> {
    override writeHead(status: number, ...given: unknown[]): this {
      if (!server.listening) this.setHeader('Connection', 'close');
      return super.writeHead(status, ...given);
    }
  }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith('/')) request.url = request.url?.replace(SCHEME_AND_HOST, '/');
    void handle(request, response);
  };
  const server = createServer(
    {
      ServerResponse: Response,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      // Longer than the idle time of the proxies in front, so that they close first and never write to a closed socket.
      keepAliveTimeout: 95_000,
      connectionsCheckingInterval: 5_000,
    },
    answer,
  );
  // By itself Node would refuse what it does not know, without a line in the log.
  server.on('checkExpectation', answer);
  // Node would drop the headers after the 1,000th, credentials and addresses among them; their size is bounded anyway.
  server.maxHeadersCount = 0;
  server.timeout = STALLED_MS;
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

/**
 * Stops without failing a request. Readiness says no first, and connections are kept: a client told to close would come
 * back by a new connection, and closing the port resets each connection that waits to be accepted. Only when the port is
 * closed do answers ask for the connection's end.
 */
export async function drain(server: Server, readiness: Services['readiness']): Promise<void> {
  readiness.stopping = true;
  await untilNoConnections(server, PROXY_NOTICE_MS);
  await untilQuietTurn(server);
  const closed = new Promise<void>((resolve) => closePort(server, resolve));
  await waitAtMost(KEEP_ALIVE_CLOSE_MS, closed);
  server.closeIdleConnections();
  await waitAtMost(DRAIN_MS, closed);
  server.closeAllConnections();
}

/** Closes the port alone: the HTTP server's own `close` would end idle connections on which a request may be on its way. */
function closePort(server: Server, closed: () => void): void {
  Listener.prototype.close.call(server, closed);
}

/** Resolves in a turn of the event loop that accepted no connection, which says that none waits to be accepted. */
async function untilQuietTurn(server: Server): Promise<void> {
  const deadline = Date.now() + QUIET_TURN_MS;
  let accepted = 0;
  let before = 0;
  const note = () => (accepted += 1);
  server.on('connection', note);
  do {
    before = accepted;
    await nextTurn();
    // The first turn may be the rest of one that has accepted already.
    await nextTurn();
  } while (accepted > before && Date.now() < deadline);
  server.off('connection', note);
}

async function untilNoConnections(server: Server, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && (await connectionCount(server)) > 0) await delay(50);
}

async function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}

/** What a target in its absolute form begins with: the host may be any text, which URL parsers refuse. */
const SCHEME_AND_HOST = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*\/?/i;

const REFUSALS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Connections that are being refused: what comes on them from then on is malformed too. */
const refused = new WeakSet<Socket>();

/** Answers malformed HTTP with 400 and closes the connection, whether or not the client closes its end. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else if (!refused.has(socket)) {
    refused.add(socket);
    refuseInTurn(socket, REFUSALS[error.code ?? ''] ?? '400 Bad Request');
  }
}

/** Refuses after the answers to whole requests before, of which the client would take the refusal for the first. */
function refuseInTurn(socket: Socket, status: string): void {
  // Node keeps the answer whose turn it is on the connection, as its own refusal does.
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (current?.req.complete) {
    current.once('close', () => refuseInTurn(socket, status));
    return;
  }
  // In the midst of an answer nothing can be said any more.
  if (current?.headersSent || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const patience = debounce(() => socket.destroy());
  patience.schedule(REFUSED_MS);
  socket.once('close', () => patience.cancel());
}
