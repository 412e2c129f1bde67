import type { Context } from '../../context.ts';

/** A line for a terminal that asks this of the API below the origin; with JSON it sends that. */
export function curl(origin: string, path: string, headers: readonly string[], json?: unknown): string {
  const all = json === undefined ? headers : [...headers, 'Content-Type: application/json'];
  return [
    'curl -sS',
    ...all.map((header) => `-H ${quoted(header)}`),
    plainOrQuoted(origin + path),
    ...(json === undefined ? [] : ['-d', quoted(JSON.stringify(json))]),
  ].join(' ');
}

/** A line for a terminal that works with any key. */
export function whoamiCurl(origin: string, text: string): string {
  return curl(origin, '/api/v1/whoami', [`x-api-key: ${text}`]);
}

/** The origin in the reader's browser if PUBLIC_URL is not configured, since the default is only localhost. */
export function requestOrigin(ctx: Context, publicUrl: string): string {
  const { hostname, origin } = new URL(publicUrl);
  return hostname === 'localhost' && /^[\w.:[\]-]+$/.test(ctx.host) ? `http://${ctx.host}` : origin;
}

/** An address is easier to read and to change without quotes; one with brackets means files to some shells. */
function plainOrQuoted(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : quoted(text);
}

/** For a POSIX shell nothing inside single quotes means anything, but for the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
