import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Names and values as they came, so that an absent or repeated header shows. */
  rawHeaders: string[];
  text: string;
  /** The parsed JSON of a JSON answer; undefined for any other. */
  body: unknown;
}

export interface Sending {
  /** A list sends the header once per value. */
  headers?: Headers;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Buffer;
}

export type Headers = Record<string, string | string[]>;

/** A client of one server: redirects are not followed, cookies not kept, every status is an answer. */
export class Client {
  readonly url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.url = url;
  }

  async get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  async post(path: string, json: unknown, headers: Headers = {}): Promise<Answer> {
    return this.send('POST', path, { json, headers });
  }

  async patch(path: string, json: unknown, headers: Headers = {}): Promise<Answer> {
    return this.send('PATCH', path, { json, headers });
  }

  async put(path: string, json: unknown, headers: Headers = {}): Promise<Answer> {
    return this.send('PUT', path, { json, headers });
  }

  async delete(path: string, headers: Headers = {}): Promise<Answer> {
    return this.send('DELETE', path, { headers });
  }

  /** Sends the path exactly as written: nothing is normalised or encoded. */
  async send(method: string, path: string, { headers = {}, json, body }: Sending = {}): Promise<Answer> {
    const content = json === undefined ? body : JSON.stringify(json);
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const sent = request({
        agent: this.#agent,
        hostname,
        port,
        path,
        method,
        headers: {
          ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...(content !== undefined && { 'Content-Length': Buffer.byteLength(content) }),
          ...headers,
        },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode: status = 0, headers, rawHeaders } = response;
          resolve({ status, headers, rawHeaders, text, body: parse(headers['content-type'], text) });
        });
      });
      sent.end(content);
    });
  }

  /**
   * Writes the bytes to a fresh connection and gives everything that came back until the server closed it; `end` says
   * that nothing more will come.
   */
  async raw(bytes: string | Buffer, { end = false } = {}): Promise<string> {
    const { hostname, port } = new URL(this.url);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.write(bytes);
    if (end) socket.end();
    let text = '';
    for await (const part of socket.setEncoding('utf8')) text += part as string;
    return text;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parse(type: string | undefined, text: string): unknown {
  return /^application\/(.+\+)?json\b/.test(type ?? '') && text !== '' ? (JSON.parse(text) as unknown) : undefined;
}

/** Asks again while the answer is 503, which a database that is kept busy may cause and which lets nobody in. */
export async function whenAvailable<Given extends { status: number }>(ask: () => Promise<Given>): Promise<Given> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
  }
}
