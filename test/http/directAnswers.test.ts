import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import Koa from 'koa';
import type { Context, State } from '../../app/context.ts';
import { sendTextsDirectly } from '../../app/http/directAnswers.ts';
import { setHeadersDirectly } from '../../app/http/directHeaders.ts';
import { FlatHeadersResponse } from '../../app/http/flatHeaders.ts';
import { Client } from '../support/http.ts';

type Answering = (ctx: Context) => unknown;

const circle: Record<string, unknown> = {};
circle['itself'] = circle;

async function* breaking(): AsyncGenerator<string> {
  yield 'begun';
  await Promise.reject(new Error('broken'));
}

const ANSWERS: Record<string, Answering> = {
  'a text': (ctx) => (ctx.body = 'text'),
  'a text beyond ASCII': (ctx) => (ctx.body = 'é–😀'),
  'half of a character': (ctx) => (ctx.body = 'a\ud800b'),
  'no text': (ctx) => (ctx.body = ''),
  'a long text': (ctx) => (ctx.body = 'é'.repeat(1_000_000)),
  'a text whose length is not told': (ctx) => {
    ctx.body = 'é';
    ctx.remove('Content-Length');
  },
  'an object': (ctx) => (ctx.body = { a: 'é', b: [1] }),
  'a list': (ctx) => (ctx.body = [1, 'b']),
  'an object without a prototype': (ctx) => (ctx.body = Object.create(null) as object),
  bytes: (ctx) => (ctx.body = Buffer.from('bytes')),
  'a stream': (ctx) => (ctx.body = Readable.from(['a', 'b'])),
  nothing: () => undefined,
  'nothing on purpose': (ctx) => (ctx.body = null),
  'a status with its message': (ctx) => Object.assign(ctx, { status: 202, message: 'Taken' }),
  '204, which has no body': (ctx) => Object.assign(ctx, { body: 'text', status: 204 }),
  '304, nor has that': (ctx) => Object.assign(ctx, { status: 304, body: { a: 1 } }),
  'what it sends itself': (ctx) => {
    ctx.respond = false;
    ctx.res.end('own');
  },
  'a text behind what has begun': (ctx) => {
    ctx.res.write('begun');
    ctx.body = 'text';
  },
  'an error': () => Promise.reject(new Error('told to nobody')),
  'an error for the caller': (ctx) => ctx.throw(401, 'who?', { headers: { 'WWW-Authenticate': 'Basic' } }),
  'an error after a text': (ctx) => {
    ctx.body = 'text';
    throw new Error('late');
  },
  'what is no JSON': (ctx) => (ctx.body = circle),
  'what JSON has no text for': (ctx) => (ctx.body = { toJSON: () => undefined }),
  'a header with an unfit name': (ctx) => ctx.set('X One', 'a'),
  'a header with an unfit value': (ctx) => ctx.set('X-One', 'a\r\nX-Two: b'),
  'an unfit message': (ctx) => Object.assign(ctx, { message: 'a\nb', body: 'text' }),
  'an unfit header where there is no body': (ctx) => {
    ctx.status = 204;
    ctx.set('X One', 'a');
  },
};

const HEAD = 'Host: x\r\n\r\n';
const REQUESTS = [
  `GET / HTTP/1.1\r\n${HEAD}HEAD / HTTP/1.1\r\n${HEAD}GET / HTTP/1.1\r\nConnection: close\r\n${HEAD}`,
  'GET / HTTP/1.0\r\n\r\n',
];

describe('texts sent directly', () => {
  for (const [what, answering] of Object.entries(ANSWERS)) {
    it(`are written as Koa writes its own answers, to each of three requests in one packet and to HTTP/1.0, where a handler gives ${what}`, async () => {
      const sent = await answered(answering, { directly: true });
      expect(sent).to.deep.equal(await answered(answering, { directly: false }));
      expect(sent.texts.map((text) => text.match(/HTTP\/1\.1 /g)?.length)).to.deep.equal([3, 1]);
    });
  }

  for (const [what, answering] of Object.entries({
    'where a handler throws': (ctx: Context) => {
      ctx.res.write('begun');
      throw new Error('late');
    },
    'where a stream breaks': (ctx: Context) => (ctx.body = Readable.from(breaking())),
  })) {
    it(`end the connection in the midst of an answer that has begun ${what}`, async () => {
      const { texts, errors } = await answered(answering, { directly: true });
      expect(texts[0]).to.match(/5\r\nbegun\r\n$/);
      expect(new Set(errors).size).to.equal(1);
    });
  }
});

/** What comes back for each of `REQUESTS` but for the time of day, and the errors that Koa tells of. */
async function answered(
  answering: Answering,
  { directly }: { directly: boolean },
): Promise<{ texts: string[]; errors: string[] }> {
  const errors: string[] = [];
  const app = new Koa<State>();
  if (directly) {
    setHeadersDirectly(app);
    sendTextsDirectly(app);
  }
  app.on('error', ({ message }: Error) => errors.push(message));
  app.use(async (ctx) => {
    ctx.set('X-Request-Id', 'a');
    await answering(ctx);
  });
  const handle = app.callback();
  const server = createServer(
    { ServerResponse: directly ? FlatHeadersResponse : ServerResponse },
    (request, response) => void handle(request, response),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const texts: string[] = [];
  for (const request of REQUESTS) texts.push((await client.raw(request)).replace(/\d\d:\d\d:\d\d/g, 'now'));
  server.close();
  return { texts, errors };
}
