import { expect } from 'chai';
import { addPlayer, as, type Player } from '../support/cast.ts';
import { endChildren } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { startDocumentedCaddy, startDocumentedNginx } from '../support/documentedProxies.ts';
import { Client, type Answer, type Headers } from '../support/http.ts';
import { issue, type Key } from '../support/keys.ts';
import { Product } from '../support/product.ts';
import { Relay } from '../support/relay.ts';
import { replayEnvoy, replayTraefik, type ProductClient } from '../support/replayedProxies.ts';
import { useServer } from '../support/useServer.ts';

const IDENTITY = ['x-auth-tenant', 'x-auth-key-id', 'x-auth-subject', 'x-auth-scopes'];
const SPOOFED = Object.fromEntries(IDENTITY.map((name) => [name, 'spoofed']));

const RULES = [
  { method: 'GET', path: '/', public: true },
  { method: 'GET', path: '/open/*', public: true },
  { method: '*', path: '/orders/*', host: 'orders.example', public: true },
  { method: 'GET', path: '/orders/*', scope: 'orders:read' },
  { method: 'POST', path: '/orders', scope: 'orders:write' },
];

/** Real ones first; the last two are played as their documentation says. */
const PROXIES = [
  { name: 'nginx', isReal: true, away: 503, silent: 503 },
  { name: 'Caddy', isReal: true, away: 502, silent: 504 },
  { name: 'Traefik', isReal: false, away: 0, silent: 0 },
  { name: 'Envoy', isReal: false, away: 0, silent: 0 },
] as const;
const REAL = PROXIES.filter(({ isReal }) => isReal);

onDatabase('sqlite', 'a product behind a proxy configured as in docs/proxies', (database) => {
  const { server, alice, acme } = useServer(database);
  /** All of them as a client of the product sees them, and those that run once more. */
  const clients = {} as Record<(typeof PROXIES)[number]['name'], ProductClient>;
  const real = {} as Record<(typeof REAL)[number]['name'], Client>;
  let relay: Relay;
  let product: Product;
  let reader: Key;

  before(async function () {
    this.timeout(60_000);
    const operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    await putRules(operator);
    reader = await issue(server, as(alice), { scopes: ['orders:read', 'files:read'] });
    relay = await Relay.inFrontOf(server.url);
    product = await Product.start();
    const behind = { latchkey: relay.address, product: product.address };
    real.nginx = await startDocumentedNginx(behind);
    real.Caddy = await startDocumentedCaddy(behind);
    const direct = new Client(`http://${product.address}`);
    const [Traefik, Envoy] = [replayTraefik(server, direct), replayEnvoy(server, direct)];
    Object.assign(clients, real, { Traefik, Envoy });
  });
  after(async () => {
    Object.values(real).forEach((client) => client.close());
    await endChildren();
    await relay.close();
    await product.stop();
  });

  async function putRules(operator: Player): Promise<void> {
    const { status, text } = await server.put('/api/v1/forward-auth/rules', { rules: RULES }, as(operator));
    expect(status, text).to.equal(200);
  }

  const show = ({ key }: Pick<Key, 'key'>): Headers => ({ 'X-Api-Key': key });

  /** Expects the product to have been asked, and gives what it was asked. */
  async function reaching(asking: Promise<Answer>) {
    const before = product.requests.length;
    const { status, text } = await asking;
    expect([status, text]).to.deep.equal([200, 'the product answers 200']);
    expect(product.requests).to.have.length(before + 1);
    const [request] = product.requests.slice(-1);
    if (!request) throw new Error('the product was not asked');
    return request;
  }

  /** Expects the product not to have been asked, and gives the refusal. */
  async function refused(asking: Promise<Answer>): Promise<Answer> {
    const before = product.requests.length;
    const answer = await asking;
    expect(product.requests.slice(before)).to.deep.equal([]);
    return answer;
  }

  for (const { name, isReal } of PROXIES) {
    describe(name, () => {
      const send = async (method: string, target: string, headers: Headers = {}, body?: string) =>
        clients[name].send(method, target, { headers, ...(body !== undefined && { body }) });

      for (const [how, headers] of Object.entries({
        'x-api-key': (key: string) => ({ 'X-Api-Key': key }),
        'Authorization: ApiKey': (key: string) => ({ Authorization: `ApiKey ${key}` }),
        'Authorization: Bearer': (key: string) => ({ Authorization: `Bearer ${key}` }),
      })) {
        it(`lets a key in by ${how}, and tells the product its tenant, its id and its scopes, but not the key`, async () => {
          const request = await reaching(send('GET', '/orders/7?q=%2f', { ...SPOOFED, ...headers(reader.key) }));
          expect(request).to.include({ method: 'GET', url: '/orders/7?q=%2f' });
          expect(request.headers).to.include({
            'x-auth-tenant': acme.id,
            'x-auth-key-id': reader.id,
            'x-auth-subject': reader.id,
            'x-auth-scopes': 'orders:read files:read',
          });
          expect(JSON.stringify(request)).not.to.include(reader.key).and.not.to.include('spoofed');
        });
      }

      it('lets everybody in where a rule is public, and lets nobody write who they are', async () => {
        const { headers } = await reaching(send('GET', '/open/page', SPOOFED));
        expect(IDENTITY.map((header) => headers[header])).to.deep.equal(['-', '-', '-', '-']);
      });

      it('refuses by 401 who shows no key or a wrong one, and by 403 whose key may not, and says what is missing', async () => {
        const wrong = { 'X-Api-Key': 'fsk_live_wrong' };
        const cases: [headers: Headers, method: string, target: string, status: number, challenge: RegExp][] = [
          [{}, 'GET', '/orders', 401, /^Bearer/],
          [wrong, 'GET', '/orders', 401, /error="invalid_token"/],
          [show(reader), 'POST', '/orders', 403, /error="insufficient_scope".*scope="orders:write"/],
        ];
        for (const [headers, method, target, status, challenge] of cases) {
          const answer = await refused(send(method, target, headers));
          expect(answer.status, answer.text).to.equal(status);
          expect(answer.headers['www-authenticate']).to.match(challenge);
          expect(answer.headers).to.include({
            'content-type': 'application/problem+json',
            'cache-control': 'no-store',
          });
          expect(answer.body).to.include({ status });
        }
        expect((await refused(send('GET', '/nowhere', show(reader)))).status).to.equal(403);
      });

      it('refuses by 429 a key that is over its limit, and says when to come again', async () => {
        const key = await issue(server, as(alice), {
          scopes: ['orders:read'],
          rateLimit: { limit: 1, windowSeconds: 3600 },
        });
        await reaching(send('GET', '/orders', show(key)));
        const answer = await refused(send('GET', '/orders', show(key)));
        expect(answer.status, answer.text).to.equal(429);
        expect(answer.headers['retry-after']).to.match(/^[1-9]\d*$/);
        expect(answer.headers['content-type']).to.equal('application/problem+json');
      });

      it('refuses a key from the next request on once it is revoked', async () => {
        const key = await issue(server, as(alice), { scopes: ['orders:read'] });
        await reaching(send('GET', '/orders', show(key)));
        expect((await server.post(`/api/api-keys/${key.id}/revoke`, {}, as(alice))).status).to.equal(200);
        expect((await refused(send('GET', '/orders', show(key)))).status).to.equal(401);
      });

      it('judges the path, the method, the host and the address that the proxy saw, whatever the client writes', async () => {
        const written = {
          'X-Original-URI': '/open/page',
          'X-Original-Method': 'GET',
          'X-Original-Host': 'orders.example',
          'X-Forwarded-Uri': '/open/page',
          'X-Forwarded-Method': 'GET',
          'X-Forwarded-Host': 'orders.example',
          'X-Real-IP': '192.0.2.1',
          'X-Forwarded-For': '192.0.2.1',
        };
        expect((await refused(send('GET', '/orders', written))).status).to.equal(401);
        expect((await refused(send('DELETE', '/open/page', written))).status).to.equal(403);
        const elsewhere = await issue(server, as(alice), { scopes: ['orders:read'], allowedIps: ['192.0.2.0/24'] });
        expect((await refused(send('GET', '/orders', { ...written, ...show(elsewhere) }))).status).to.equal(403);
        const here = await issue(server, as(alice), { scopes: ['orders:read'], allowedIps: ['127.0.0.1'] });
        await reaching(send('GET', '/orders', { ...written, ...show(here) }));
        expect((await reaching(send('GET', '/orders', { Host: 'orders.example' }))).url).to.equal('/orders');
      });

      it('hands on paths as the client wrote them, and none that two servers could read differently', async () => {
        for (const target of [
          '/',
          '/?a',
          '/open/a%20b',
          '/open/a%3Fb?c=/../d',
          '/open/%C3%A9',
          '/open/a;b',
          '/open/%2Ca%c3%a9',
          '/open/',
        ]) {
          expect((await reaching(send('GET', target))).url).to.equal(target);
        }
        const doubtful = [
          '/open/..%2forders',
          '/open/%2e%2e/orders',
          '/open/../orders',
          '/open/.%2E;x/orders',
          '//orders',
          '/open//orders',
          '/open/a%5c..%5corders',
          '/open/%00',
          '/open/%ff',
          '/open/%c0%af',
          '/open/%zz',
          '/open/a%0d%0ab',
        ];
        const statuses = [];
        for (const target of doubtful) statuses.push((await refused(send('GET', target))).status);
        expect(statuses).to.deep.equal(doubtful.map(() => 400));
      });

      if (isReal) itKeepsTheWire(name);
    });
  }

  /** Promises of the connection and the bytes on it, for proxies that run. */
  function itKeepsTheWire(name: (typeof REAL)[number]['name']): void {
    it('asks again and again over one connection to Latchkey, also after refusals', async () => {
      const ask = async (headers: Headers) => (await real[name].get('/orders', headers)).status;
      await ask(show(reader));
      const { connections } = relay;
      for (let round = 0; round < 5; round++) {
        expect(await ask(show(reader))).to.equal(200);
        expect(await ask({})).to.equal(401);
        expect((await real[name].post('/nowhere', { a: 1 }, show(reader))).status).to.equal(403);
      }
      expect(relay.connections).to.equal(connections);
    });

    it('hands on the body of a request, which Latchkey is not sent', async () => {
      const writer = await issue(server, as(alice), { scopes: ['orders:write'] });
      const body = 'a body '.repeat(10_000);
      const sent = real[name].send('POST', '/orders', { headers: show(writer), body });
      expect((await reaching(sent)).body).to.equal(body);
      const head = `POST /orders HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${writer.key}\r\nConnection: close\r\n`;
      await real[name].raw(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n`);
      expect(product.requests.at(-1)?.body).to.equal('onetwo');
    });

    it('tells the product all scopes of a key that has as many and as long ones as a key may have', async () => {
      const key = await issue(server, as(alice));
      const long = Array.from({ length: 99 }, (_, n) => `${'x'.repeat(92)}-${n + 10}:read`);
      const scopes = ['orders:read', ...long];
      await server.services
        .db('api_keys')
        .where({ id: key.id })
        .update({ scopes: JSON.stringify(scopes) });
      const { headers } = await reaching(real[name].get('/orders', show(key)));
      expect(headers['x-auth-scopes']).to.equal(scopes.join(' '));
    });

    it('hands on what the product answers, also where it refuses', async () => {
      for (const status of [401, 403, 429, 500, 503]) {
        const answer = await real[name].get(`/open/page?status=${status}`);
        expect([answer.status, answer.text]).to.deep.equal([status, `the product answers ${status}`]);
      }
    });

    it('lets no header name with underscores and no Connection header change who calls', async () => {
      const written = { X_Auth_Tenant: 'spoofed', 'X-Auth_Tenant': 'spoofed', 'X_Auth-Tenant': 'spoofed' };
      const dropped = { ...written, Connection: IDENTITY.join(', ') };
      const request = await reaching(real[name].get('/orders', { ...show(reader), ...dropped }));
      expect(request.headers).to.include({ 'x-auth-tenant': acme.id, 'x-auth-key-id': reader.id });
      expect(JSON.stringify(request)).not.to.include('spoofed');
    });

    it('judges and hands on one and the same host where a request names two', async () => {
      const raw = async (host: string, header: string) =>
        real[name].raw(`GET http://${host}/orders HTTP/1.1\r\nHost: ${header}\r\nConnection: close\r\n\r\n`);
      const before = product.requests.length;
      expect(await raw('orders.example', 'other.example')).to.match(/^HTTP\/1\.1 200 /);
      expect(product.requests.slice(before).map(({ headers }) => headers.host)).to.deep.equal(['orders.example']);
      expect(await raw('other.example', 'orders.example')).to.match(/^HTTP\/1\.1 401 /);
      expect(product.requests).to.have.length(before + 1);
    });

    it('refuses raw bytes in a path that others would read as the end of it or as a slash', async () => {
      const before = product.requests.length;
      for (const target of ['/open/..\\orders', '/open/\u0001', '/open/a#/../../orders', '*']) {
        const answer = await real[name].raw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        expect(answer, target).to.match(/^HTTP\/1\.1 400 /);
      }
      expect(product.requests).to.have.length(before);
    });

    it('refuses a request with two credentials', async () => {
      for (const two of [
        { ...show(reader), Authorization: `Bearer ${reader.key}` },
        { 'X-Api-Key': [reader.key, 'x'] },
      ]) {
        expect((await refused(real[name].get('/orders', two))).status).to.equal(400);
      }
    });
  }

  it('is closed while Latchkey is silent or away, public pages too, and open again soon after', async () => {
    const statuses = async () =>
      Promise.all(REAL.map(async ({ name }) => (await refused(real[name].get('/open/page'))).status));
    relay.fallSilent();
    expect(await statuses()).to.deep.equal(REAL.map(({ silent }) => silent));
    await relay.close();
    expect(await statuses()).to.deep.equal(REAL.map(({ away }) => away));
    relay.speak();
    await relay.open();
    for (const { name } of REAL) expect((await real[name].get('/open/page')).status).to.equal(200);
  });
});
