import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Middleware } from '../context.ts';

const compress = promisify(gzip);
const WORTH_IT = 1_024;
/** The values by which browsers report that another site made the request. */
const FOREIGN = new Set(['cross-site', 'same-site']);

/**
 * Compresses pages, but not for requests that another site caused: they carry the session, and the length of a
 * compressed page would reveal whether text in the address resembles a secret in the page (BREACH).
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
