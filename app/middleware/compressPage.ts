import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Middleware } from '../context.ts';

const compress = promisify(gzip);
const WORTH_IT = 1_024;

/**
 * Sends pages compressed. That their length may tell of their content takes somebody who makes the reader's browser ask
 * again and again from another site, and those requests carry no session: its cookie is SameSite.
 */
export const compressPage: Middleware = async (ctx, next) => {
  await next();
  const body: unknown = ctx.body;
  if (!(typeof body === 'string' || Buffer.isBuffer(body)) || body.length < WORTH_IT) return;
  ctx.vary('Accept-Encoding');
  if (ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') return;
  ctx.body = await compress(body, { level: 5 });
  ctx.set('Content-Encoding', 'gzip');
};
