import type Koa from 'koa';
import type { Socket } from 'node:net';
import type { Context, State } from '../context.ts';

/** How Koa handles a request, which its types leave out. */
interface RequestHandler {
  handleRequest(ctx: Context, middleware: (ctx: Context) => Promise<unknown>): Promise<unknown>;
}

/** The request that a connection is at, for faults of the connection meanwhile. */
const REQUEST = Symbol('request');
type Connection = Socket & { [REQUEST]?: Context | undefined };

/** Answers that have no body, whatever was set. */
const EMPTY = new Set([204, 205, 304]);

/**
 * Sends answers of one text without the listeners that Koa adds to each answer and its connection, which take 2 KB a
 * request. Any other answer, such as a stream or an empty one, is left to Koa.
 */
export function sendTextsDirectly(app: Koa<State>): void {
  const koa = app as unknown as RequestHandler;
  const leaveToKoa = koa.handleRequest.bind(koa);
  koa.handleRequest = async (ctx, middleware) => {
    const { res } = ctx;
    const connection: Connection = ctx.req.socket;
    if (!(REQUEST in connection)) connection.on('error', tellRequest);
    connection[REQUEST] = ctx;
    res.statusCode = 404;
    try {
      await middleware(ctx);
      const text = textOf(ctx);
      if (text === undefined) {
        connection[REQUEST] = undefined;
        const { statusCode } = res;
        await leaveToKoa(ctx, async () => {
          res.statusCode = statusCode;
        });
        return;
      }
      res.end(text);
      // What the system has taken already can fail no more.
      if (connection.writableLength === 0) connection[REQUEST] = undefined;
    } catch (error) {
      ctx.onerror(error as Error);
    }
  };
}

function tellRequest(this: Connection, error: Error): void {
  this[REQUEST]?.onerror(error);
  this[REQUEST] = undefined;
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
