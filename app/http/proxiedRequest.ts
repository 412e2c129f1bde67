import type { Context } from '../context.ts';
import { readForwardedPath } from '../domain/forwardedPath.ts';
import type { ProxiedRequest } from '../domain/forwardAuthRules.ts';
import { normaliseAddress } from '../domain/network.ts';
import { AppError } from '../errors.ts';

/** The proxies that ask, each by an endpoint of its own. */
export const PROXIES = ['nginx', 'traefik', 'caddy', 'envoy'] as const;
export type Proxy = (typeof PROXIES)[number];

/** A request that a proxy asks about, before its path is read. */
export interface AskedRequest {
  method: string;
  host: string;
  /** As the client sent it, its bytes one character each. */
  target: string;
  /** The client's address; null where the proxy does not tell. */
  address: string | null;
}

/** Where a proxy writes what is asked. All headers are ones that it sets itself, so that no client can write them. */
interface Names {
  method: string;
  host: string;
  target: string;
  address: string;
}

const FORWARDED: Names = {
  method: 'x-forwarded-method',
  host: 'x-forwarded-host',
  target: 'x-forwarded-uri',
  address: 'x-forwarded-for',
};

export const HEADERS_OF: Readonly<Record<Exclude<Proxy, 'envoy'>, Names>> = {
  // nginx sets none of these by itself: its configuration does, and one that forgets a header is refused at its first request.
  nginx: {
    method: 'x-original-method',
    host: 'x-original-host',
    target: 'x-original-uri',
    address: 'x-real-ip',
  },
  traefik: FORWARDED,
  caddy: FORWARDED,
};

/** What Envoy puts before the path that it asks about. */
export const ENVOY_PREFIX = '/forward-auth/envoy';
const HOST = 'host';
const FORWARDED_FOR = 'x-forwarded-for';

/** Reads what a proxy asks about; refuses what does not say all of it, exactly once. */
export function askedRequest(ctx: Context, proxy: Proxy): AskedRequest {
  return proxy === 'envoy' ? askedByEnvoy(ctx) : askedByHeaders(ctx, HEADERS_OF[proxy]);
}

/** The request as the rules see it; a path that could be read in two ways is refused. */
export function proxiedRequest({ method, host, target }: AskedRequest): ProxiedRequest {
  const read = readForwardedPath(target);
  if ('fault' in read) throw new AppError('invalid_path', read.fault);
  return { method, host: hostOf(host), path: read.path };
}

/** The name of a host as the rules have it: in lower case, without its port and without the dot of the root. */
export function hostOf(header: string): string {
  return header.trim().toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

function askedByHeaders(ctx: Context, names: Names): AskedRequest {
  const found = onlyHeaders(ctx, Object.values(names) as string[]);
  const required = (name: string) => {
    const value = found.get(name);
    if (value === undefined || value === '') throw incomplete('proxy_header_missing', name);
    return value;
  };
  const address = addressOf(required(names.address));
  if (address === undefined) throw incomplete('proxy_header_no_address', names.address);
  return { method: required(names.method), host: required(names.host), target: required(names.target), address };
}

/** Envoy sends the request itself, below its prefix; the client's address only where it is told to. */
function askedByEnvoy(ctx: Context): AskedRequest {
  const found = onlyHeaders(ctx, [HOST, FORWARDED_FOR]);
  const host = found.get(HOST) ?? '';
  if (host === '') throw incomplete('proxy_header_missing', HOST);
  const { url = '' } = ctx.req;
  // A whole address in place of a path leads to the same route.
  if (!url.startsWith(`${ENVOY_PREFIX}/`)) throw new AppError('invalid_path', 'path_not_absolute');
  const target = url.slice(ENVOY_PREFIX.length);
  const forwarded = found.get(FORWARDED_FOR);
  const address = forwarded === undefined ? null : addressOf(forwarded);
  if (address === undefined) throw incomplete('proxy_header_no_address', FORWARDED_FOR);
  return { method: ctx.method, host, target, address };
}

/** The last address of a list is the one that the proxy saw; what is before it the client may have written. */
function addressOf(list: string): string | undefined {
  return normaliseAddress(list.slice(list.lastIndexOf(',') + 1).trim());
}

/** The values of these headers; a repeated one is refused, since a second can only be the client's. */
function onlyHeaders(ctx: Context, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const { rawHeaders } = ctx.req;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!names.includes(name)) continue;
    if (found.has(name)) throw incomplete('proxy_header_repeated', name);
    found.set(name, rawHeaders[at + 1] ?? '');
  }
  return found;
}

function incomplete(
  key: 'proxy_header_missing' | 'proxy_header_no_address' | 'proxy_header_repeated',
  header: string,
): AppError {
  return new AppError('proxy_request_incomplete', { key, values: { header } });
}
