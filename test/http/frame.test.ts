import { expect } from 'chai';
import { onDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

/** Written out, so that a weaker promise is seen here and not only in a diff of the code. */
const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const PAGE = {
  ...ALWAYS,
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** A name for a request that nobody but the server chose. */
const OWN_NAME = /^(?!from-the-proxy)[A-Za-z0-9_-]{14,60}$/;

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.status).to.equal(status);
  expect(answer.headers['content-type']).to.equal('application/problem+json');
  expect(answer.headers).to.include(ALWAYS);
  expect(answer.body).to.include({ status, code, type: `urn:latchkey:problem:${code}` });
  expect(answer.body).to.have.property('requestId', answer.headers['x-request-id']);
  expect(answer.body).to.have.property('title').that.is.a('string').and.not.empty;
  expect(answer.body).to.have.property('detail').that.is.a('string').and.not.empty;
}

onDatabase('sqlite', 'the HTTP frame', (database) => {
  const server = useServerWithoutCast(database);

  describe('puts on every answer', () => {
    const requests: [method: string, path: string, status: number][] = [
      ['GET', '/api/health', 200],
      ['HEAD', '/api/health', 200],
      ['OPTIONS', '/api/health', 204],
      ['POST', '/api/health', 405],
      ['GET', '/api/nothing', 404],
      ['GET', '/nothing', 404],
      ['POST', '/api/auth/login', 422],
      ['GET', '/api/v1/whoami', 401],
    ];
    for (const [method, path, status] of requests) {
      it(`its headers and a request id: ${method} ${path} is ${status}`, async () => {
        const answer = await server.send(method, path);
        expect(answer.status).to.equal(status);
        expect(answer.headers).to.include(ALWAYS);
        expect(answer.headers['x-request-id']).to.match(OWN_NAME);
        expect(answer.headers).not.to.have.any.keys('x-powered-by', 'server', 'set-cookie');
      });
    }

    it('what tells browsers how far to trust a page, where people may come', async () => {
      for (const path of ['/nothing', '/', '/admin']) {
        expect((await server.get(path, { Accept: 'text/html' })).headers).to.include(PAGE);
        expect((await server.get(path)).headers).to.include(PAGE);
      }
    });

    it('Strict-Transport-Security where PUBLIC_URL is https, and nowhere else', async () => {
      const secure = await startServer(database.env(), { PUBLIC_URL: 'https://keys.example.com' });
      const answer = await secure.get('/api/health');
      await secure.stop();
      expect(answer.headers).to.have.property('strict-transport-security', 'max-age=31536000');
      expect((await server.get('/api/health')).headers).not.to.have.property('strict-transport-security');
    });
  });

  describe('answers a wrong address', () => {
    it('by a problem that says no more than that', async () => {
      const answer = await server.get('/api/nothing?canary=1');
      expectProblem(answer, 404, 'not_found');
      expect(answer.body).to.have.all.keys('type', 'title', 'status', 'detail', 'code', 'requestId');
      expect(answer.text).not.to.match(/canary|nothing\b(?! at this address)/);
    });

    for (const path of [
      '/API/health',
      '/Api/Health',
      '/api/Health',
      '/api/health//',
      '/api/health/LIVE',
      '/api//health',
      '//api/health',
    ]) {
      it(`${path} by 404, for it is not /api/health`, async () => {
        expectProblem(await server.get(path), 404, 'not_found');
      });
    }

    for (const path of [
      '/%',
      '/api/%',
      '/api/%E0%A4%A',
      '/api/health%2F',
      '/api/health%00',
      '/api/..%2f',
      '/%2e%2e/x',
    ]) {
      it(`${path} by 404, however it is encoded`, async () => {
        expectProblem(await server.get(path), 404, 'not_found');
      });
    }

    for (const path of [
      '/__proto__',
      '/constructor',
      '/api/__proto__',
      '/api/v1/toString',
      '/api/constructor/x',
      '*',
    ]) {
      it(`${path} by 404, for no object's own name is a route`, async () => {
        expectProblem(await server.get(path), 404, 'not_found');
      });
    }

    it('of four thousand characters by 404 too', async () => {
      expectProblem(await server.get(`/api/${'a'.repeat(4_000)}`), 404, 'not_found');
    });
  });

  describe('answers a wrong method', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      it(`${method} by 405, naming those there are`, async () => {
        const answer = await server.send(method, '/api/health');
        expectProblem(answer, 405, 'method_not_allowed');
        expect(answer.headers.allow).to.equal('GET, HEAD');
      });
    }

    it('and OPTIONS by those there are', async () => {
      const answer = await server.send('OPTIONS', '/api/health');
      expect(answer.status).to.equal(204);
      expect(answer.headers.allow).to.equal('GET, HEAD');
      expect(answer.text).to.equal('');
    });

    it('at an address nobody serves by 404', async () => {
      expectProblem(await server.send('DELETE', '/api/nothing'), 404, 'not_found');
      expectProblem(await server.send('OPTIONS', '/api/nothing'), 404, 'not_found');
    });
  });

  describe('answers people by pages', () => {
    const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

    it('outside the API, with nothing of theirs in it', async () => {
      const answer = await server.get('/<script>alert(1)</script>?"><b>', { Accept: html });
      expect(answer.status).to.equal(404);
      expect(answer.headers['content-type']).to.equal('text/html; charset=utf-8');
      expect(answer.headers).to.include(PAGE);
      expect(answer.text).to.include('Not found').and.include(answer.headers['x-request-id']);
      expect(answer.text).not.to.match(/<script>|alert|<b>/);
    });

    it('where htmx asks, whatever it accepts', async () => {
      const answer = await server.get('/nothing', { 'HX-Request': 'true', Accept: '*/*' });
      expect(answer.headers['content-type']).to.equal('text/html; charset=utf-8');
    });

    for (const path of [
      '/api',
      '/api/nothing',
      '/api/v1/whoami',
      '/oauth/nothing',
      '/forward-auth/nothing',
      '/metrics/x',
    ]) {
      it(`but ${path}, where programs call, by problems`, async () => {
        for (const headers of [{ Accept: html }, { Accept: html, 'HX-Request': 'true' }]) {
          expect((await server.get(path, headers)).headers['content-type']).to.equal('application/problem+json');
        }
      });
    }

    it('and programs by problems everywhere', async () => {
      for (const Accept of ['*/*', 'application/json', 'image/png', '']) {
        expectProblem(await server.get('/nothing', { Accept }), 404, 'not_found');
      }
      expectProblem(await server.get('/nothing'), 404, 'not_found');
    });
  });

  describe('answers the same whatever the query:', () => {
    for (const query of [
      '__proto__=x',
      '__proto__',
      'constructor',
      'constructor[name]=x',
      'a=1&a=2',
      '%E0%A4%A',
      '&&=&',
      '?',
    ]) {
      it(`?${query}`, async () => {
        const answer = await server.get(`/api/health?${query}`);
        expect(answer.status).to.equal(200);
        expect(Object.keys(Object.prototype)).to.deep.equal([]);
      });
    }
  });

  describe('names each request', () => {
    const given = 'from-the-proxy.1';

    it('itself, while no proxy is trusted', async () => {
      const answer = await server.get('/api/health', { 'X-Request-Id': given });
      expect(answer.headers['x-request-id']).to.match(OWN_NAME);
    });

    it('by a new name each time, which the log has too', async () => {
      const [first, second] = [await server.get('/api/nothing'), await server.get('/api/nothing')];
      expect(first.headers['x-request-id']).not.to.equal(second.headers['x-request-id']);
      for (const { headers } of [first, second]) {
        expect(
          server.log.filter((line) => line.includes(`"requestId":"${headers['x-request-id'] as string}"`)),
        ).to.have.length(1);
      }
    });

    it('as a trusted proxy does, where that is a name', async () => {
      const behind = await startServer(database.env(), { TRUSTED_HOPS: '1' });
      const named = async (id: string | string[]) =>
        (await behind.get('/api/health', { 'X-Request-Id': id })).headers['x-request-id'];
      const kept = [await named(given), await named('a'.repeat(128))];
      const refused = await Promise.all(
        ['short', 'a'.repeat(129), 'with space', '<script>alert</script>', [given, given]].map(named),
      );
      await behind.stop();
      expect(kept).to.deep.equal([given, 'a'.repeat(128)]);
      for (const id of refused) expect(id).to.match(OWN_NAME);
    });
  });

  describe("takes the caller's address", () => {
    const sent: [hops: string, forwarded: string | string[] | undefined, address: string][] = [
      ['0', undefined, '127.0.0.1'],
      ['0', '198.51.100.7', '127.0.0.1'],
      ['1', undefined, 'unknown'],
      ['1', '198.51.100.7', '198.51.100.7'],
      ['1', '6.6.6.6, 198.51.100.7', '198.51.100.7'],
      ['1', '6.6.6.6,,, 198.51.100.7 ', '198.51.100.7'],
      ['1', ['6.6.6.6', '198.51.100.7'], '198.51.100.7'],
      ['1', '198.51.100.7, garbage', 'unknown'],
      ['1', '198.51.100.7, ', 'unknown'],
      ['1', '198.51.100.7:4711', '198.51.100.7'],
      ['1', '198.51.100.7:', 'unknown'],
      ['1', '[2001:db8::7]:4711', '2001:db8::7'],
      ['1', '[2001:db8::7]', '2001:db8::7'],
      ['1', '[::ffff:198.51.100.7]:4711', '198.51.100.7'],
      ['1', '[198.51.100.7]:4711', 'unknown'],
      ['1', '::ffff:198.51.100.7', '198.51.100.7'],
      ['1', '2001:DB8:0::7', '2001:db8::7'],
      ['2', '198.51.100.7, 10.0.0.1', '198.51.100.7'],
      ['2', '6.6.6.6, 198.51.100.7, 10.0.0.1', '198.51.100.7'],
      ['2', '198.51.100.7', 'unknown'],
      ['2', '<script>, 10.0.0.1', 'unknown'],
    ];
    const behind = new Map<string, TestServer>();
    before(async () => {
      for (const hops of ['0', '1', '2']) {
        behind.set(hops, await startServer(database.env(), { TRUSTED_HOPS: hops }));
      }
    });
    after(async () => {
      for (const each of behind.values()) await each.stop();
    });

    for (const [hops, forwarded, address] of sent) {
      it(`as ${address} behind ${hops} proxies with X-Forwarded-For: ${String(forwarded ?? 'absent')}`, async () => {
        const proxied = behind.get(hops);
        await proxied?.get('/api/health', forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded });
        expect(JSON.parse(proxied?.log.at(-1) ?? '')).to.include({ msg: 'request', address });
      });
    }
  });

  describe('logs of a request', () => {
    it('the route that answered, not what was asked for', async () => {
      await server.get('/api/health?key=canary', { Authorization: 'Bearer canary' });
      expect(JSON.parse(server.log.at(-1) ?? '')).to.include({ method: 'GET', route: '/api/health', status: 200 });
      await server.get('/api/canary');
      expect(JSON.parse(server.log.at(-1) ?? '')).to.include({ status: 404, route: '' });
      expect(server.log.join('')).not.to.include('canary');
    });
  });
});
