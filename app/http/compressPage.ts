import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Middleware } from '../context.ts';

const compress = promisify(gzip);
const WORTH_IT = 1_024;
/** What every browser in use says of a request that it was not its reader or a page of ours that made it. */
const FOREIGN = new Set(['cross-site', 'same-site']);

/**
 * Sends pages compressed, but not to a browser that another site made ask: led here it brings its session along, and what
 * the address has of the page would tell by the length whether it is like the secrets beside it.
 */
export const compressPage: Middleware = async (ctx, next) => {
  await next();
  const body: unknown = ctx.body;
  if (!(typeof body === 'string' || Buffer.isBuffer(body)) || body.length < WORTH_IT) return;
  ctx.vary('Accept-Encoding');
  if (FOREIGN.has(ctx.get('Sec-Fetch-Site'))) return;
  if (ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') return;
  ctx.body = await compress(body, { level: 5 });
  ctx.set('Content-Encoding', 'gzip');
};
