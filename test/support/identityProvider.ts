import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A public key as a key set holds it. */
export function published(key: KeyObject, kid: string, more: object = {}): JsonWebKey {
  return { ...createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' }), kid, ...more };
}

/** An identity provider's key set over real HTTP. */
export class Provider {
  keys: unknown[];
  asked = 0;
  /** What it answers instead of its keys. */
  answer: ((response: ServerResponse) => unknown) | undefined;
  readonly #server: Server;

  private constructor(keys: unknown[]) {
    this.keys = keys;
    this.#server = createServer((_request, response) => {
      this.asked++;
      if (this.answer) this.answer(response);
      else response.end(JSON.stringify({ keys: this.keys }));
    });
  }

  static async start(keys: unknown[]): Promise<Provider> {
    const provider = new Provider(keys);
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/.well-known/jwks.json`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
