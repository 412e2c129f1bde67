import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a product behind a proxy gets it. */
export interface ProductRequest {
  method: string;
  /** The request target as it came. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A small product behind a proxy: it keeps what it got and answers with the status in `?status=`, 200 without. */
export class Product {
  readonly requests: ProductRequest[] = [];
  readonly address: string;
  readonly stop: () => Promise<void>;

  private constructor(address: string, stop: () => Promise<void>) {
    this.address = address;
    this.stop = stop;
  }

  static async start(): Promise<Product> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.once('end', () => {
        const { method = '', url = '', headers } = request;
        product.requests.push({ method, url, headers, body });
        const status = Number(/[?&]status=(\d{3})/.exec(url)?.[1] ?? 200);
        response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`the product answers ${status}`);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const product = new Product(`127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
    return product;
  }
}
