import { isUtf8 } from 'node:buffer';
import getRawBody from 'raw-body';
import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';

declare module '../context.ts' {
  interface State {
    /** The JSON body, once it has been asked for. */
    json?: Promise<unknown>;
  }
}

const BYTE_ORDER_MARK = '\uFEFF';

export const BODY_LIMIT = 64 * 1024;
const MIB = 1024 * 1024;
/** How large a form of a person may be: that of a key carries its metadata twice, each character as several. */
export const PERSONS_FORM_LIMIT = MIB;
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
  const { bytes } = await readBytes(ctx, ['application/json']);
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

/** Reads an HTML form's fields, at most 64 KiB of them unless told; repeated names keep all their values. */
export async function readForm(ctx: Context, limit = BODY_LIMIT): Promise<URLSearchParams> {
  const { bytes } = await readBytes(ctx, ['application/x-www-form-urlencoded'], limit);
  return new URLSearchParams(decoded(bytes));
}

/** Reads a body of at most 5 MiB in one of these types. */
export async function readLines<Type extends string>(
  ctx: Context,
  types: readonly Type[],
): Promise<{ type: Type; text: string }> {
  const { type, bytes } = await readBytes(ctx, types, LINES_LIMIT);
  return { type, text: decoded(bytes) };
}

/**
 * Reads a body as it was sent, at most 64 KiB of it unless told, and says which of the types it has; no body is no bytes of
 * the first.
 */
export async function readBytes<Type extends string>(
  ctx: Context,
  types: readonly Type[],
  limit = BODY_LIMIT,
): Promise<{ type: Type; bytes: Buffer }> {
  const { headers } = ctx.req;
  const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (empty && types[0] !== undefined) return { type: types[0], bytes: Buffer.alloc(0) };
  const type = typeSent(ctx, types);
  if (type === undefined) {
    throw new AppError('unsupported_media_type', { key: 'body_must_be', values: { type: types.join(', ') } });
  }
  if (headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'body_compressed');
  }
  return { type, bytes: await receive(ctx, limit) };
}

function typeSent<Type extends string>(ctx: Context, types: readonly Type[]): Type | undefined {
  // Nearly every client writes just this, and reading a media type by its grammar takes longer than the body.
  const written = types.find((one) => one === ctx.req.headers['content-type']);
  if (written !== undefined) return written;
  const sent = ctx.request.is([...types]);
  return types.find((one) => one === sent);
}

/** A `TextDecoder` would say the same, and take longer over it than over all the rest of a short body. */
function decoded(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new AppError('invalid_json', 'body_not_utf8');
  const text = bytes.toString();
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
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
