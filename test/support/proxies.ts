import type { Answer, Client, Headers } from './http.ts';

/** A request that somebody sends to a proxy, which asks about it. */
export interface Proxied {
  method?: string;
  host?: string;
  target?: string;
  /** The client's address. */
  address?: string;
  /** The client's own headers, credential included. */
  headers?: Headers;
}

export const PROXY_NAMES = ['nginx', 'traefik', 'caddy', 'envoy'] as const;
export type ProxyName = (typeof PROXY_NAMES)[number];

/** Asks about a request as the proxy does, with the headers that it sets itself. */
export async function askAs(proxy: ProxyName, client: Client, asked: Proxied = {}): Promise<Answer> {
  const { method = 'GET', host = 'shop.example', target = '/', address = '198.51.100.7', headers = {} } = asked;
  if (proxy === 'envoy') {
    const own = { Host: host, 'X-Forwarded-For': address };
    return client.send(method, `/forward-auth/envoy${target}`, { headers: { ...headers, ...own } });
  }
  return client.get(`/forward-auth/${proxy}`, { ...headers, ...headersOf(proxy, { method, host, target, address }) });
}

/** The headers by which a proxy tells of a request. */
export function headersOf(
  proxy: Exclude<ProxyName, 'envoy'>,
  { method, host, target, address }: Required<Omit<Proxied, 'headers'>>,
): Record<string, string> {
  if (proxy === 'nginx') {
    return { 'X-Original-Method': method, 'X-Original-Host': host, 'X-Original-URI': target, 'X-Real-IP': address };
  }
  return {
    'X-Forwarded-Method': method,
    'X-Forwarded-Host': host,
    'X-Forwarded-Uri': target,
    'X-Forwarded-For': address,
    'X-Forwarded-Proto': 'https',
  };
}
