import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';
import type { KeyTexts } from './keyTexts.ts';

/** The one credential of a request, as it was sent. */
export type Credential =
  { kind: 'key'; text: string; transport: 'ApiKey' | 'x-api-key' | 'Bearer' } | { kind: 'jwt'; text: string };

declare module '../context.ts' {
  interface State {
    /** The one credential of the request, as it was sent. */
    credential?: Credential;
  }
}

/** Finds the credential of a request; two are refused, since choosing one would be guessing who calls. */
export function credentialOf(ctx: Context, keyTexts: KeyTexts): Credential | undefined {
  const authorization = onlyHeader(ctx, 'authorization');
  const apiKey = onlyHeader(ctx, 'x-api-key');
  const credential = authorization === undefined ? undefined : readAuthorization(authorization, keyTexts);
  if (apiKey === undefined) return credential;
  if (credential !== undefined) throw ambiguous();
  return { kind: 'key', text: apiKey, transport: 'x-api-key' };
}

/**
 * The only header of this name. Repeats are counted in the raw headers, since Node keeps the first of two
 * `Authorization` and joins two `x-api-key`.
 */
export function onlyHeader(ctx: Context, header: string): string | undefined {
  const { rawHeaders } = ctx.req;
  let found: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length !== header.length || name.toLowerCase() !== header) continue;
    if (found !== undefined) throw ambiguous();
    found = rawHeaders[i + 1] ?? '';
  }
  return found;
}

const SCHEME = /^(ApiKey|Bearer)(?: +(.*))?$/is;

/** `Basic` and other schemes are meant for a proxy in front and are no credential here. */
function readAuthorization(value: string, keyTexts: KeyTexts): Credential | undefined {
  const match = SCHEME.exec(value);
  if (!match) return undefined;
  const text = (match[2] ?? '').trimEnd();
  if (match[1]?.toLowerCase() === 'apikey') return { kind: 'key', text, transport: 'ApiKey' };
  return keyTexts.isKeyAsBearer(text) ? { kind: 'key', text, transport: 'Bearer' } : { kind: 'jwt', text };
}

function ambiguous(): AppError {
  return new AppError('ambiguous_credentials', 'one_credential');
}
