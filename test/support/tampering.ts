import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a server answered, and which of the requests like it this one was. */
export interface Tampered {
  method: string;
  url: string;
  count: number;
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Changes an answer on its way, in place. */
export type Tamper = (answer: Tampered) => void;

/** Stands between a client and the server, and changes what it likes of the answers. */
export async function tamperWith(server: string, tamper: Tamper): Promise<{ url: string; stop(): void }> {
  const counts = new Map<string, number>();
  const proxy = createServer((asked, answering) => void pass(asked, answering));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => proxy.close().closeAllConnections() };

  async function pass(asked: IncomingMessage, answering: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = asked;
    const sent = request(server + url, { method, headers });
    asked.pipe(sent);
    const [got] = (await once(sent, 'response')) as [IncomingMessage];
    const kind = `${method} ${url}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const passed = { ...got.headers };
    // The body may have another one by then.
    delete passed['content-length'];
    const answer = {
      method,
      url,
      count,
      status: got.statusCode ?? 0,
      headers: passed as Record<string, string>,
      body: await text(got),
    };
    tamper(answer);
    answering.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
