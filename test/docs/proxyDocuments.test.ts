import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { IDENTITY_HEADERS } from '../../app/api/answers/forwardAuth.ts';
import { ENVOY_PREFIX, HEADERS_OF, PROXIES } from '../../app/http/proxiedRequest.ts';
import { PROXY_DOCUMENTS } from '../support/documentedProxies.ts';
import { readEnvoy, readTraefik } from '../support/replayedProxies.ts';

const CREDENTIALS = ['authorization', 'x-api-key'];
const IDENTITY = IDENTITY_HEADERS.map((name) => name.toLowerCase());

const read = (name: string) => readFileSync(path.join(PROXY_DOCUMENTS, name), 'utf8');
const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase());
/** What each match of the pattern has in its first group. */
const found = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, group = '']) => group.toLowerCase());

describe('the configurations in docs/proxies', () => {
  it('have nginx send what its endpoint reads, and set every header about the caller by what came back', () => {
    const text = read('nginx.conf');
    const [, product = '', check = ''] = text.split(/location (?:\/|= \/_latchkey) \{/);
    const [asked = ''] = check.split(/location @/);
    expect(found(asked, /proxy_set_header (\S+) \$/g)).to.have.members(Object.values(HEADERS_OF.nginx) as string[]);
    expect(asked).to.include('proxy_pass http://latchkey/forward-auth/nginx;');
    const set = found(product, /proxy_set_header X-Auth-(\S+) \$latchkey_\w+;/gi).map((name) => `x-auth-${name}`);
    expect(set).to.have.members(IDENTITY);
    for (const name of IDENTITY) {
      const part = name.replace('x-auth-', '').replaceAll('-', '_');
      expect(product).to.include(`auth_request_set $latchkey_${part} $upstream_http_x_auth_${part};`);
    }
    expect(found(product, /proxy_set_header (\S+) "";/g)).to.have.members(['connection', ...CREDENTIALS]);
  });

  it('have Caddy copy every header about the caller, after it took the client’s away', () => {
    const text = read('Caddyfile');
    const [, copied = ''] = /copy_headers (.*)/.exec(text) ?? [];
    expect(lower(copied.split(' '))).to.have.members(IDENTITY);
    expect(found(text, /header_up (X-Auth-\S+) \{http\.request\.header\.\1\}/g)).to.have.members(IDENTITY);
    expect(text).to.include('uri /forward-auth/caddy\n');
    const { address, host } = HEADERS_OF.caddy;
    expect(found(text, /header_up (\S+) \{(?:remote_host|host)\}/g)).to.have.members([address, host]);
    const [before = '', after = ''] = text.split('forward_auth ');
    expect(found(before, /request_header -(\S+)/g)).to.include('x-auth-*');
    expect(found(after, /request_header -(\S+)/g)).to.have.members(CREDENTIALS);
  });

  it('have Traefik copy every header about the caller and trust no forwarded header of a client', () => {
    const { check, order, taken } = readTraefik();
    expect(new URL(check.address).pathname).to.equal('/forward-auth/traefik');
    expect(check.trustForwardHeader).to.equal(false);
    expect(lower(check.authResponseHeaders)).to.have.members(IDENTITY);
    expect(lower(check.authRequestHeaders)).to.include.members(CREDENTIALS);
    expect(order).to.deep.equal(['latchkey', 'without-credentials']);
    expect(lower(taken)).to.have.members(CREDENTIALS);
  });

  it('have Envoy copy every header about the caller, let none of a client’s in, and refuse where Latchkey is away', () => {
    const { asked, failsOpen, prefix, removed, taken, upstream, usesRemoteAddress } = readEnvoy();
    expect(prefix).to.equal(ENVOY_PREFIX);
    expect({ failsOpen, usesRemoteAddress }).to.deep.equal({ failsOpen: false, usesRemoteAddress: true });
    expect(upstream).to.have.members(IDENTITY);
    expect(removed).to.have.members(IDENTITY);
    expect(asked).to.include.members(['x-api-key', 'x-forwarded-for']);
    expect(taken).to.have.members(CREDENTIALS);
  });

  it('are explained by README.md, each file, each proxy and each header', () => {
    const text = read('README.md');
    for (const file of ['nginx.conf', 'Caddyfile', 'traefik.yaml', 'traefik-dynamic.yaml', 'envoy.yaml']) {
      expect(text).to.include(`](${file})`);
    }
    for (const name of [...IDENTITY_HEADERS, ...PROXIES.map((proxy) => `/forward-auth/${proxy}`)]) {
      expect(text).to.include(`\`${name}`);
    }
  });
});
