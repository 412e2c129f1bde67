import type Koa from 'koa';
import type { ServerResponse } from 'node:http';
import type { Context, State } from '../context.ts';

/** How Koa handles a request, which its types leave out. */
interface RequestHandler {
  handleRequest(ctx: Context, middleware: (ctx: Context) => Promise<unknown>): Promise<unknown>;
}

/** Answers that have no body, whatever was set. */
const EMPTY = new Set([204, 205, 304]);

/**
 * Sends answers of one text without the listeners that Koa adds to each answer and its connection, which take 2 KB a
 * request. Any other answer, such as a stream or an empty one, is left to Koa.
 */
export function sendTextsDirectly(app: Koa<State>): void {
  const koa = app as unknown as RequestHandler;
  const leaveToKoa = koa.handleRequest.bind(koa);
  koa.handleRequest = (ctx, middleware) => {
    ctx.res.statusCode = 404;
    return middleware(ctx).then(
      () => answer(ctx),
      (error: unknown) => fail(ctx, error),
    );
  };

  function answer(ctx: Context): Promise<unknown> | undefined {
    const { res } = ctx;
    try {
      if (!ctx.writable && !res.writableEnded) app.emit('error', connectionGone(), ctx);
      const text = textOf(ctx);
      if (text !== undefined) send(res, text);
      else {
        const { statusCode } = res;
        return leaveToKoa(ctx, async () => {
          res.statusCode = statusCode;
        });
      }
    } catch (error) {
      fail(ctx, error);
    }
    return undefined;
  }
}

/** Answers an error that no middleware has answered; where an answer has begun, the connection ends in the midst of it. */
function fail(ctx: Context, error: unknown): void {
  const hasBegun = ctx.headerSent && !ctx.res.writableEnded;
  ctx.onerror(error as Error);
  if (hasBegun) ctx.res.destroy();
}

function connectionGone(): Error {
  return Object.assign(new Error('whoever asked has gone before the answer'), { code: 'ECONNRESET' });
}

/**
 * Sends an answer by one write of one string. `end` alone makes a list of two of it, the second of them empty, which takes
 * 2 µs more.
 */
function send(res: ServerResponse, text: string | Buffer): void {
  const { socket } = res;
  if (typeof text === 'string' && text !== '' && socket?.writableCorked === 0) {
    socket.cork();
    // In ASCII both are the same bytes, and need no second look.
    res.write(text, res.getHeader('Content-Length') === text.length ? 'latin1' : 'utf8');
    socket.uncork();
    res.end();
  } else res.end(text);
}

/** The whole of an answer that is one text; undefined where it is not, or is not to be sent. */
function textOf(ctx: Context): string | Buffer | undefined {
  const { body } = ctx as { body: unknown };
  if (ctx.respond === false || ctx.method === 'HEAD' || EMPTY.has(ctx.status) || !ctx.writable) return undefined;
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body;
  if (!isPlain(body)) return undefined;
  const text = JSON.stringify(body);
  ctx.length = Buffer.byteLength(text);
  return text;
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)
  );
}
