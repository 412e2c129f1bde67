import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { FlatHeadersResponse } from '../../app/http/flatHeaders.ts';
import { Client, type Answer } from '../support/http.ts';

type Use = (response: ServerResponse) => unknown;

/** What is done to an answer's headers; what it gives is told in the body. */
const USES: Record<string, Use> = {
  'sets some': (response) => response.setHeader('X-One', 'a').setHeader('Content-Type', 'text/plain'),
  'sets one again in another case, in its old place': (response) =>
    response.setHeader('X-One', 'a').setHeader('X-Two', 'b').setHeader('x-one', 'c'),
  'sets numbers and lists': (response) =>
    response.setHeader('X-Number', 7).setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('Link', ['<a>', '<b>']),
  'adds to one, in another case': (response) =>
    response.appendHeader('Set-Cookie', 'a=1').appendHeader('set-cookie', 'b=2').appendHeader('X-One', ['a', 'b']),
  'takes one away and sets it at the end': (response) => {
    response.setHeader('X-One', 'a').setHeader('X-Two', 'b').removeHeader('X-ONE');
    response.setHeader('X-One', 'c');
  },
  'takes away what Node adds': (response) => {
    response.removeHeader('Date');
    response.removeHeader('Connection');
    response.removeHeader('X-None');
  },
  'sets what Node would add': (response) =>
    response.setHeader('Date', 'today').setHeader('Content-Length', 0).setHeader('Connection', 'close'),
  'says what is set': (response) => {
    response.setHeader('X-One', 'a').setHeader('x-two', ['b', 'c']);
    const [has, hasNot] = [response.hasHeader('x-oNe'), response.hasHeader('x-on')];
    const values = [response.getHeader('X-TWO'), response.getHeader('x-three') ?? null];
    return { has, hasNot, values, names: response.getHeaderNames(), all: response.getHeaders() };
  },
  'takes the last ones as the head is written': (response) =>
    response
      .setHeader('X-One', 'a')
      .setHeader('X-Two', 'b')
      .writeHead(201, 'Made', { 'x-two': 'c', 'X-Three': 'd' })
      .end(),
  'takes them from a list': (response) => response.writeHead(200, ['X-One', 'a', 'X-Two', 'b']).end(),
  'sets what may stand in none, or sets it too late': (response) => [
    codeOf(() => response.setHeader('X-One', 'a\r\nX-Two: b')),
    codeOf(() => response.setHeader('X-One', 'a').appendHeader('X-One', '\n')),
    codeOf(() => response.setHeader('X One', 'a').flushHeaders()),
    codeOf(() => response.removeHeader('X One')),
    codeOf(() => response.flushHeaders()),
    codeOf(() => response.setHeader('X-Two', 'b')),
    codeOf(() => response.removeHeader('X-One')),
    codeOf(() => response.writeHead(200)),
  ],
};

describe('headers kept as one list', () => {
  for (const [what, use] of Object.entries(USES)) {
    it(`are written as Node writes its own where somebody ${what}`, async () => {
      expect(await written(FlatHeadersResponse, use)).to.deep.equal(await written(ServerResponse, use));
    });
  }
});

function codeOf(use: () => unknown): unknown {
  try {
    use();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** What a client of such an answer gets, but for the time of day. */
async function written(Response: typeof ServerResponse, use: Use): Promise<Omit<Answer, 'headers'>> {
  const server = createServer({ ServerResponse: Response }, (_request, response) => {
    const told = use(response);
    if (!response.writableEnded) response.end(told === response ? '' : JSON.stringify(told));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const { status, text, body, rawHeaders } = await client.get('/');
    return { status, text, body, rawHeaders: rawHeaders.map((value) => value.replace(/\d\d:\d\d:\d\d/, 'now')) };
  } finally {
    client.close();
    server.close();
  }
}
