import getRawBody from 'raw-body';
import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';

declare module '../context.ts' {
  interface State {
    /** The JSON body, once it has been asked for. */
    json?: Promise<unknown>;
  }
}

export const BODY_LIMIT = 64 * 1024;

/**
 * Reads a JSON body of at most 64 KiB, once however often it is asked for; an empty body is undefined, so that routes with
 * only optional fields need none.
 */
export async function readJson(ctx: Context): Promise<unknown> {
  return (ctx.state.json ??= receiveJson(ctx));
}

async function receiveJson(ctx: Context): Promise<unknown> {
  const text = await readText(ctx, 'application/json');
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid_json', 'not_json');
  }
}

/** Reads an HTML form's fields; repeated names keep all their values. */
export async function readForm(ctx: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(ctx, 'application/x-www-form-urlencoded'));
}

async function readText(ctx: Context, type: string): Promise<string> {
  const { headers } = ctx.req;
  const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (empty) return '';
  if (ctx.request.is(type) !== type)
    throw new AppError('unsupported_media_type', { key: 'body_must_be', values: { type } });
  if (headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'body_compressed');
  }
  const bytes = await receive(ctx);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('invalid_json', 'body_not_utf8');
  }
}

async function receive(ctx: Context): Promise<Buffer> {
  try {
    return await getRawBody(ctx.req, { limit: BODY_LIMIT, length: ctx.get('Content-Length') || null });
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
