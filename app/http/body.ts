import getRawBody from 'raw-body';
import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';

export const BODY_LIMIT = 64 * 1024;

/** Reads a JSON body of at most 64 KiB; an empty body is undefined, so that routes with only optional fields need none. */
export async function readJson(ctx: Context): Promise<unknown> {
  const bytes = await readBytes(ctx, 'application/json');
  return bytes.length === 0 ? undefined : parseJson(bytes);
}

/** The JSON in these bytes; other bytes are 400. */
export function parseJson(bytes: Buffer): unknown {
  const text = decoded(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid_json', 'not_json');
  }
}

/** Reads an HTML form's fields; repeated names keep all their values. */
export async function readForm(ctx: Context): Promise<URLSearchParams> {
  return new URLSearchParams(decoded(await readBytes(ctx, 'application/x-www-form-urlencoded')));
}

/** Reads a body of this type as it was sent, at most 64 KiB of it unless told; no body is no bytes. */
export async function readBytes(ctx: Context, type: string, limit = BODY_LIMIT): Promise<Buffer> {
  const { headers } = ctx.req;
  const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (empty) return Buffer.alloc(0);
  if (ctx.request.is(type) !== type)
    throw new AppError('unsupported_media_type', { key: 'body_must_be', values: { type } });
  if (headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'body_compressed');
  }
  return receive(ctx, limit);
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('invalid_json', 'body_not_utf8');
  }
}

async function receive(ctx: Context, limit: number): Promise<Buffer> {
  try {
    return await getRawBody(ctx.req, { limit, length: ctx.get('Content-Length') || null });
  } catch (error) {
    const type = (error as { type?: unknown }).type;
    if (type === 'entity.too.large') {
      // The rest of the body is not worth reading: the connection ends with this answer.
      ctx.set('Connection', 'close');
      throw new AppError('body_too_large', 'body_over_64_kib');
    }
    throw new AppError('bad_request', 'body_cut_short');
  }
}
