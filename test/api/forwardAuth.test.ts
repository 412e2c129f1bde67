import { expect } from 'chai';
import { mintKey } from '../../app/domain/token.ts';
import { addPlayer, bearer, as, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, refusal } from '../support/keys.ts';
import { askAs, headersOf, PROXY_NAMES, type Proxied, type ProxyName } from '../support/proxies.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

const RULES = [
  { method: 'GET', path: '/open/*', public: true },
  { method: 'GET', path: '/projects/:id', scope: 'projects:read' },
  { method: '*', path: '/projects/*', scope: 'projects:write' },
  { method: 'GET', host: 'api.shop.example', path: '/orders', scope: 'orders:read' },
  { method: '*', path: '/self/*', scope: 'read' },
];
const NOBODY = { 'x-auth-tenant': '-', 'x-auth-key-id': '-', 'x-auth-subject': '-', 'x-auth-scopes': '-' };
const BEARER = 'Bearer realm="latchkey", ApiKey realm="latchkey"';

onEachDatabase('a proxy that asks whether to let a request through', (database) => {
  const { server, acme, alice, bob } = useServer(database);
  let operator: Player;

  before(async () => {
    operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const answer = await server.put('/api/v1/forward-auth/rules', { rules: RULES }, bearer(operator));
    expect(answer.status, answer.text).to.equal(200);
  });

  const keyed = async (wish: object = {}) => issue(server, as(alice), { scopes: ['projects:read'], ...wish });
  const withKey = ({ key }: { key: string }): Headers => ({ 'x-api-key': key });
  const ask = async (asked: Proxied, proxy: ProxyName = 'caddy') => askAs(proxy, server, asked);
  const unknown = () => mintKey(server.services.config.keys, 'live').key;

  for (const proxy of PROXY_NAMES) {
    describe(proxy, () => {
      const asks = async (asked: Proxied) => askAs(proxy, server, asked);
      /** What the client is told, which nginx is told in a header where it takes no such status. */
      const told = ({ status, headers }: Answer) => Number(headers['x-auth-status'] ?? status);

      it('is told to let a key through that holds the scope, and who it is', async () => {
        const key = await keyed({ scopes: ['projects:read', 'orders:read'] });
        const answer = await asks({ target: '/projects/42?full=1', headers: withKey(key) });
        expect([answer.status, answer.text]).to.deep.equal([200, '']);
        expect(answer.headers).to.include({
          'x-auth-tenant': acme.id,
          'x-auth-key-id': key.id,
          'x-auth-subject': key.id,
          'x-auth-scopes': 'projects:read orders:read',
          'cache-control': 'no-store',
          'content-length': '0',
        });
        expect(answer.headers).not.to.have.property('content-type');
      });

      it('is told to refuse what shows no key, a bad one, or one without the scope', async () => {
        const none = await asks({ target: '/projects/42' });
        refusal(none, 401, 'missing_credential');
        expect(none.headers['www-authenticate']).to.equal(BEARER);
        refusal(await asks({ target: '/projects/42', headers: { 'x-api-key': unknown() } }), 401, 'invalid_key');
        const lacking = await asks({ target: '/projects/42', method: 'POST', headers: withKey(await keyed()) });
        refusal(lacking, 403, 'insufficient_scope');
        expect(lacking.headers['www-authenticate']).to.include('scope="projects:write"');
      });

      it('is told to refuse what no rule is about, whoever asks', async () => {
        for (const headers of [{}, withKey(await keyed({ scopes: ['*'] })), { 'x-api-key': unknown() }]) {
          refusal(await asks({ target: '/elsewhere', headers }), 403, 'no_matching_rule');
        }
      });

      it('is told to let everybody through where a rule is public, and of nobody in every header', async () => {
        for (const headers of [{}, { 'x-api-key': unknown() }, bearer({ token: 'of.another.system' })] as Headers[]) {
          const answer = await asks({ target: '/open/page', headers });
          expect(answer.status, answer.text).to.equal(200);
          expect(answer.headers).to.include(NOBODY);
        }
      });

      it('is told when a key is over its limit or its quota, and for how long', async () => {
        const limited = await keyed({ rateLimit: { limit: 1, windowSeconds: 3600 } });
        const first = await asks({ target: '/projects/1', headers: withKey(limited) });
        expect(first.headers['ratelimit']).to.match(/^"key";r=0;t=\d+$/);
        const spent = await keyed({ monthlyQuota: 1 });
        await asks({ target: '/projects/1', headers: withKey(spent) });
        for (const [key, code] of [
          [limited, 'rate_limited'],
          [spent, 'quota_exceeded'],
        ] as const) {
          const answer = await asks({ target: '/projects/1', headers: withKey(key) });
          refusal(answer, proxy === 'nginx' ? 403 : 429, code);
          expect(told(answer)).to.equal(429);
          expect(Number(answer.headers['retry-after'])).to.be.at.least(1);
        }
      });

      it('is told to refuse a path that could be read in two ways, and two credentials', async () => {
        const headers = withKey(await keyed({ scopes: ['*'] }));
        for (const target of [
          '/projects%2f42',
          '/open/../projects/42',
          '/open//x',
          '/open/%00',
          '/open/%c0%af',
          '/%',
        ]) {
          const answer = await asks({ target, headers });
          refusal(answer, proxy === 'nginx' ? 403 : 400, 'invalid_path');
          expect(told(answer), target).to.equal(400);
        }
        const both = await asks({ target: '/projects/1', headers: { ...headers, Authorization: 'ApiKey x' } });
        refusal(both, proxy === 'nginx' ? 403 : 400, 'ambiguous_credentials');
      });

      it('is told the same whatever a client writes into headers that are not the proxy’s', async () => {
        const key = await keyed();
        const spoofed = {
          'X-Auth-Tenant': 'globex',
          'X-Auth-Scopes': '*',
          'x-tenant-id': 'globex',
          ...headersOf(proxy === 'nginx' ? 'caddy' : 'nginx', {
            method: 'GET',
            host: 'x.example',
            target: '/open/x',
            address: '10.0.0.1',
          }),
          // Envoy has this one from its own configuration.
          ...(proxy === 'envoy' && { 'X-Forwarded-Uri': '/open/x', 'X-Forwarded-Method': 'GET' }),
        };
        refusal(await asks({ target: '/projects/42', headers: spoofed }), 401, 'missing_credential');
        const answer = await asks({ target: '/projects/42', headers: { ...spoofed, ...withKey(key) } });
        expect(answer.headers).to.include({ 'x-auth-tenant': acme.id, 'x-auth-scopes': 'projects:read' });
        refusal(
          await asks({ target: '/projects/42', method: 'DELETE', headers: { ...spoofed, ...withKey(key) } }),
          403,
          'insufficient_scope',
        );
      });
    });
  }

  it('is asked by the method of the request where it is Envoy, body or not', async () => {
    const headers = withKey(await keyed({ scopes: ['projects:write'] }));
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND']) {
      expect((await ask({ method, target: '/projects/42', headers }, 'envoy')).status, method).to.equal(200);
    }
    const answer = await server.send('POST', '/forward-auth/envoy/projects/42', {
      headers: { ...headers, Host: 'shop.example' },
      body: 'x'.repeat(200_000),
    });
    expect([answer.status, answer.headers.connection]).to.deep.equal([200, 'close']);
  });

  it('is answered whatever method it asks by', async () => {
    const asked = headersOf('nginx', {
      method: 'GET',
      host: 'shop.example',
      target: '/open/',
      address: '198.51.100.7',
    });
    for (const method of ['POST', 'HEAD', 'PUT']) {
      expect((await server.send(method, '/forward-auth/nginx', { headers: asked })).status).to.equal(200);
    }
  });

  it('has rules for a host alone, in any case and on any port', async () => {
    const headers = withKey(await keyed({ scopes: ['orders:read'] }));
    const status = async (host: string) => (await ask({ host, target: '/orders', headers })).status;
    expect(
      await Promise.all(['api.shop.example', 'API.Shop.Example:8443', 'api.shop.example.'].map(status)),
    ).to.deep.equal([200, 200, 200]);
    expect(await Promise.all(['shop.example', 'api.shop.example.evil.example'].map(status))).to.deep.equal([403, 403]);
  });

  it('hands on a person’s token as on protected routes, by which tenant the token names alone', async () => {
    const { status, headers } = await ask({ target: '/self/x', headers: { ...bearer(bob), 'x-tenant-id': 'globex' } });
    expect(status).to.equal(200);
    expect(headers).to.include({
      'x-auth-tenant': acme.id,
      'x-auth-key-id': '-',
      'x-auth-subject': bob.id,
      'x-auth-scopes': '-',
    });
    refusal(await ask({ target: '/self/x', headers: bearer({ token: 'a.b.c' }) }), 401, 'invalid_token');
    const owned = await issue(server, as(alice), { owner: 'user', scopes: ['read'] });
    expect((await ask({ target: '/self/x', headers: withKey(owned) })).headers['x-auth-subject']).to.equal(alice.id);
  });

  it('has networks of a key checked against the address that it tells, and against none where it tells none', async () => {
    const headers = withKey(await keyed({ allowedIps: ['198.51.100.0/28'] }));
    for (const proxy of PROXY_NAMES) {
      const from = async (address: string) => (await ask({ target: '/projects/1', headers, address }, proxy)).status;
      expect([await from('198.51.100.7'), await from('198.51.100.77')], proxy).to.deep.equal([200, 403]);
    }
    const list = async (address: string) => (await ask({ target: '/projects/1', headers, address })).status;
    expect(await list('198.51.100.7, 203.0.113.9'), 'the last is what the proxy saw').to.equal(403);
    const untold = await server.get('/forward-auth/envoy/projects/1', { ...headers, Host: 'shop.example' });
    refusal(untold, 403, 'address_not_allowed');
  });

  it('has each request in the log of its key as the client sent it, a key in its path masked', async () => {
    const key = await keyed({ scopes: ['projects:write'] });
    const secret = unknown();
    const headers = { ...withKey(key), 'User-Agent': 'shop/1.0' };
    await ask({ method: 'GET', target: '/projects/42?token=1', headers, address: '203.0.113.9' });
    await ask({ method: 'POST', target: `/projects/a/${secret}`, headers });
    await ask({ method: 'POST', target: `/elsewhere/${secret}`, headers });
    await ask({ method: 'GET', target: '/open/x', headers });
    await ask({ host: 'api.shop.example', target: '/orders', headers }, 'nginx');
    await server.services.usage.flush();
    const rows = await server.services
      .db<Record<string, unknown>>('api_key_usage')
      .where({ key_id: key.id })
      .orderBy('created_at')
      .orderBy('id');
    const masked = `${secret.slice(0, 17)}…${secret.slice(-4)}`;
    expect(rows.map((row) => [row.method, row.endpoint, row.status_code, row.scope])).to.have.deep.members([
      ['GET', '/projects/:id', 200, 'projects:read'],
      ['POST', `/projects/a/${masked}`, 200, 'projects:write'],
      ['POST', `/elsewhere/${masked}`, 403, null],
      ['GET', '/orders', 403, 'orders:read'],
    ]);
    expect(rows.find((row) => row.endpoint === '/projects/:id')).to.include({
      ip: '203.0.113.9',
      user_agent: 'shop/1.0',
    });
    expect(JSON.stringify(rows) + server.log.join('')).not.to.include(secret);
  });

  it('has a spent limit in the log of its key as 429, where nginx is told 403', async () => {
    const key = await keyed({ rateLimit: { limit: 1, windowSeconds: 3600 } });
    for (let n = 0; n < 2; n++) await ask({ target: '/projects/1', headers: withKey(key) }, 'nginx');
    await server.services.usage.flush();
    const rows = await server.services.db('api_key_usage').where({ key_id: key.id }).pluck<number[]>('status_code');
    expect(rows).to.have.members([200, 429]);
  });

  describe('configured wrongly', () => {
    const asked = { method: 'GET', host: 'shop.example', target: '/open/x', address: '198.51.100.7' };

    for (const proxy of ['nginx', 'traefik', 'caddy'] as const) {
      for (const name of Object.keys(headersOf(proxy, asked)).filter((one) => one !== 'X-Forwarded-Proto')) {
        it(`is refused as ${proxy} without ${name}, with an empty one, and with two`, async () => {
          const { [name]: value = '', ...others } = headersOf(proxy, asked);
          const sent = [others, { ...others, [name]: '' }, { ...others, [name]: [value, value] }] as Headers[];
          for (const headers of sent) {
            const answer = await server.get(`/forward-auth/${proxy}`, { ...headers, ...withKey(await keyed()) });
            refusal(answer, 400, 'proxy_request_incomplete');
            expect(answer.text).to.include(name.toLowerCase());
          }
        });
      }
    }

    it('is refused where what it says is no address', async () => {
      for (const proxy of PROXY_NAMES) {
        for (const address of ['unknown', 'unix:', '1.2.3.4, ']) {
          const answer = await ask({ ...asked, address }, proxy);
          // HTTP takes spaces off the end of a value.
          refusal(answer, 400, 'proxy_request_incomplete');
        }
      }
    });

    it('is refused as Envoy with a path that is not below its prefix, and with two lists of addresses', async () => {
      refusal(await server.get('/forward-auth/envoy/'), 403, 'no_matching_rule');
      const twice = { Host: 'shop.example', 'X-Forwarded-For': ['198.51.100.7', '198.51.100.8'] };
      refusal(await server.get('/forward-auth/envoy/open/x', twice), 400, 'proxy_request_incomplete');
      refusal(await server.get('/forward-auth/envoy'), 404, 'not_found');
      refusal(await server.get('/forward-auth/haproxy'), 404, 'not_found');
    });
  });
});

onEachDatabase('who is no configured proxy', (database) => {
  const server = useServerWithoutCast(database, { FORWARD_AUTH_PEERS: '192.0.2.0/24 2001:db8::1', TRUSTED_HOPS: '1' });

  it('is refused whatever it says, and the log says once how to let it in', async () => {
    for (const proxy of PROXY_NAMES) {
      for (const address of ['192.0.2.7', '2001:db8::1']) {
        const headers = { 'X-Forwarded-For': address };
        refusal(await askAs(proxy, server, { address, headers }), 403, 'proxy_not_configured');
      }
    }
    const lines = server.log.filter((line) => line.includes('FORWARD_AUTH_PEERS'));
    expect(lines.length).to.equal(1);
    expect(lines[0]).to.include('"address":"127.0.0.1"').and.include('add it there if it is your proxy');
  });
});

onEachDatabase('a client that guesses keys behind a proxy', (database) => {
  const { server, alice, acme } = useServer(database, { ADDRESS_LIMIT: '3/3600' });

  before(async () => {
    const operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const rules = [{ method: '*', path: '/*', scope: 'projects:read' }];
    expect((await server.put('/api/v1/forward-auth/rules', { rules }, bearer(operator))).status).to.equal(200);
  });

  it('is refused by its own address, and shuts out nobody else behind the same proxy', async () => {
    const { key } = await issue(server, as(alice), { scopes: ['projects:read'] });
    const from = async (address: string, headers: Headers) => {
      const { status, headers: told } = await askAs('nginx', server, { address, headers });
      return Number(told['x-auth-status'] ?? status);
    };
    const guess = () => ({ 'x-api-key': mintKey(server.services.config.keys, 'live').key });
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push(await from('203.0.113.1', n % 2 === 0 ? guess() : {}));
    expect(statuses).to.deep.equal([401, 401, 401, 429, 429]);
    expect(await from('203.0.113.1', { 'x-api-key': key }), 'a valid key from there').to.equal(200);
    expect(await from('203.0.113.2', {}), 'somebody else').to.equal(401);
    expect(await from('203.0.113.2', { 'x-api-key': key })).to.equal(200);
  });
});
