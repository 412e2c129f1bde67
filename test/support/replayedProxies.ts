import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { PROXY_DOCUMENTS } from './documentedProxies.ts';
import type { Answer, Client, Headers, Sending } from './http.ts';

/** Sends a request as a client of the product does. */
export interface ProductClient {
  send(method: string, target: string, sending?: Sending): Promise<Answer>;
}

interface TraefikDynamic {
  http: {
    routers: { product: { middlewares: string[] } };
    middlewares: {
      latchkey: { forwardAuth: ForwardAuth };
      'without-credentials': { headers: { customRequestHeaders: Record<string, string> } };
    };
  };
}

interface ForwardAuth {
  address: string;
  trustForwardHeader: boolean;
  authRequestHeaders: string[];
  authResponseHeaders: string[];
  authResponseHeadersRegex: string;
}

interface Patterns {
  patterns: { exact: string }[];
}

interface HttpFilter {
  typed_config: {
    mutations?: { request_mutations: { remove: string }[] };
    failure_mode_allow?: boolean;
    allowed_headers?: Patterns;
    http_service?: {
      path_prefix: string;
      authorization_response: { allowed_upstream_headers: Patterns; allowed_client_headers: Patterns };
    };
  };
}

interface ConnectionManager {
  use_remote_address: boolean;
  route_config: { virtual_hosts: { request_headers_to_remove: string[] }[] };
  http_filters: HttpFilter[];
}

interface EnvoyStatic {
  static_resources: {
    listeners: { filter_chains: { filters: { typed_config: ConnectionManager }[] }[] }[];
  };
}

/** What docs/proxies/traefik-dynamic.yaml says of the check. */
export function readTraefik() {
  const { http } = readYaml('traefik-dynamic.yaml') as TraefikDynamic;
  const { latchkey, 'without-credentials': without } = http.middlewares;
  return {
    order: http.routers.product.middlewares,
    check: latchkey.forwardAuth,
    taken: Object.keys(without.headers.customRequestHeaders),
  };
}

/** What docs/proxies/envoy.yaml says of the check. */
export function readEnvoy() {
  const [listener] = (readYaml('envoy.yaml') as EnvoyStatic).static_resources.listeners;
  const manager = listener?.filter_chains[0]?.filters[0]?.typed_config;
  const [host] = manager?.route_config.virtual_hosts ?? [];
  const [mutation, authz] = manager?.http_filters.map((filter) => filter.typed_config) ?? [];
  const service = authz?.http_service;
  if (!manager || !host || !mutation || !service) throw new Error('docs/proxies/envoy.yaml has another shape');
  const exact = (list: Patterns | undefined) => list?.patterns.map((pattern) => pattern.exact) ?? [];
  return {
    usesRemoteAddress: manager.use_remote_address,
    failsOpen: authz.failure_mode_allow,
    prefix: service.path_prefix,
    removed: mutation.mutations?.request_mutations.map(({ remove }) => remove) ?? [],
    asked: exact(authz.allowed_headers),
    upstream: exact(service.authorization_response.allowed_upstream_headers),
    client: exact(service.authorization_response.allowed_client_headers),
    taken: host.request_headers_to_remove,
  };
}

/**
 * Asks Latchkey as Traefik's documentation says it does with docs/proxies/traefik-dynamic.yaml, and passes on to the product
 * what Traefik would: a bodyless GET with the listed headers and its own X-Forwarded headers, of whose answer 2xx lets in.
 */
export function replayTraefik(latchkey: Client, product: Client): ProductClient {
  const { check, taken } = readTraefik();
  const regex = new RegExp(check.authResponseHeadersRegex.replace('(?i)', ''), 'i');
  return {
    send: async (method, target, { headers = {} } = {}) => {
      const answer = await latchkey.get(new URL(check.address).pathname, {
        ...only(headers, check.authRequestHeaders),
        'X-Forwarded-For': '127.0.0.1',
        'X-Forwarded-Method': method,
        'X-Forwarded-Proto': 'http',
        'X-Forwarded-Port': '80',
        'X-Forwarded-Host': valueOf(headers, 'Host') ?? 'product.example',
        'X-Forwarded-Uri': target,
      });
      if (answer.status < 200 || answer.status >= 300) return answer;
      const kept = without(headers, (name) => regex.test(name) || includes(check.authResponseHeaders, name));
      const identity = only(answer.headers, check.authResponseHeaders);
      const passed = { ...without(kept, (name) => includes(taken, name)), ...identity };
      return product.send(method, target, { headers: passed });
    },
  };
}

/**
 * Asks Latchkey as Envoy's documentation says it does with docs/proxies/envoy.yaml, and passes on to the product what Envoy
 * would: the method and the path below the prefix with no body, of whose answer nothing but 200 lets in.
 */
export function replayEnvoy(latchkey: Client, product: Client): ProductClient {
  const { prefix, asked, removed, upstream, client, taken } = readEnvoy();
  return {
    send: async (method, target, { headers = {} } = {}) => {
      const seen = without(headers, (name) => includes(removed, name));
      const forwarded = [valueOf(headers, 'X-Forwarded-For'), '127.0.0.1'].filter((part) => part !== undefined);
      const answer = await latchkey.send(method, prefix + target, {
        headers: {
          ...only({ ...seen, 'X-Forwarded-For': forwarded.join(', ') }, [...asked, 'Authorization']),
          Host: valueOf(headers, 'Host') ?? 'product.example',
          'Content-Length': '0',
        },
      });
      if (answer.status !== 200) {
        const told = only(answer.headers, [...client, 'www-authenticate', 'content-length', 'location']);
        return { ...answer, headers: told };
      }
      const identity = only(answer.headers, upstream);
      const passed = { ...without(seen, (name) => includes(taken, name) || includes(upstream, name)), ...identity };
      return product.send(method, target, { headers: passed });
    },
  };
}

function readYaml(name: string): unknown {
  return parse(readFileSync(path.join(PROXY_DOCUMENTS, name), 'utf8'));
}

function includes(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}

function only(headers: Answer['headers'] | Headers, names: readonly string[]): Headers {
  return without(headers, (name) => !includes(names, name));
}

function without(headers: Answer['headers'] | Headers, goes: (name: string) => boolean): Headers {
  const kept: Headers = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && !goes(name)) kept[name] = value;
  return kept;
}

function valueOf(headers: Headers, name: string): string | undefined {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  return found === undefined ? undefined : [found].flat().join(', ');
}
