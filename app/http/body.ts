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
const MIB = 1024 * 1024;
/** How large a body of lines may be, which one request imports. */
export const LINES_LIMIT = 5 * MIB;

/**
 * Reads a JSON body of at most 64 KiB, once however often it is asked for; an empty body is undefined, so that routes with
 * only optional fields need none.
 */
export async function readJson(ctx: Context): Promise<unknown> {
  return (ctx.state.json ??= receiveJson(ctx));
}

async function receiveJson(ctx: Context): Promise<unknown> {
  const { text } = await readText(ctx, ['application/json']);
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid_json', 'not_json');
  }
}

/** Reads an HTML form's fields; repeated names keep all their values. */
export async function readForm(ctx: Context): Promise<URLSearchParams> {
  return new URLSearchParams((await readText(ctx, ['application/x-www-form-urlencoded'])).text);
}

/** Reads a body of at most 5 MiB in one of these types. */
export async function readLines<Type extends string>(
  ctx: Context,
  types: readonly Type[],
): Promise<{ type: Type; text: string }> {
  return readText(ctx, types, LINES_LIMIT);
}

/** The text of a body and which of the types it has; an empty body is an empty text of the first. */
async function readText<Type extends string>(
  ctx: Context,
  types: readonly Type[],
  limit = BODY_LIMIT,
): Promise<{ type: Type; text: string }> {
  const { headers } = ctx.req;
  const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (empty && types[0] !== undefined) return { type: types[0], text: '' };
  const sent = ctx.request.is([...types]);
  const type = types.find((one) => one === sent);
  if (type === undefined) {
    throw new AppError('unsupported_media_type', { key: 'body_must_be', values: { type: types.join(', ') } });
  }
  if (headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'body_compressed');
  }
  const bytes = await receive(ctx, limit);
  try {
    return { type, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
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
      throw new AppError(
        'body_too_large',
        limit === BODY_LIMIT ? 'body_over_64_kib' : { key: 'body_over_mib', values: { mib: limit / MIB } },
      );
    }
    throw new AppError('bad_request', 'body_cut_short');
  }
}
