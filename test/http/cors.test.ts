import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { startServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';
import { acmePage } from '../support/organisationPages.ts';

const APP = 'https://app.example.com';
const OTHER = 'https://other.example.com';
const SETTINGS = {
  CORS_ORIGINS: `${APP}, http://localhost:3000`,
  ADMIN_USER: 'staff',
  ADMIN_PASSWORD: 'a long enough password',
};

// It is the same on either database.
onDatabase('sqlite', 'a browser of another origin', (database) => {
  const { server, ...cast } = useServer(database, SETTINGS);
  const from = (origin: string) => ({ Origin: origin });
  const preflight = async (path: string, method: string, origin = APP) =>
    server.send('OPTIONS', path, { headers: { ...from(origin), 'Access-Control-Request-Method': method } });

  it('is told by a preflight the methods of the path and the headers that it may send', async () => {
    for (const [path, methods] of [
      ['/api/v1/api-keys', 'GET, HEAD, POST'],
      ['/api/api-keys/01890000-0000-7000-8000-000000000000', 'DELETE, GET, HEAD, PATCH'],
      ['/api/auth/login', 'POST'],
      ['/oauth/introspect', 'POST'],
    ] as const) {
      const { status, headers, text } = await preflight(path, 'POST');
      expect([status, text], path).to.deep.equal([204, '']);
      expect(headers, path).to.deep.include({
        'access-control-allow-origin': APP,
        'access-control-allow-methods': methods,
        'access-control-allow-headers':
          'Authorization, X-API-Key, X-Tenant-Id, Content-Type, Idempotency-Key, If-Match',
        'access-control-max-age': '600',
        vary: 'Origin',
      });
    }
  });

  it('reads answers and refusals, with the headers that tell of limits, versions and replays, and never with cookies', async () => {
    const { key } = await issue(server, as(cast.alice), { rateLimit: { limit: 1, windowSeconds: 60 } });
    const ask = async (path: string, more: object = {}) => server.get(path, { ...from(APP), ...more });
    const whoami = '/api/v1/whoami';
    const answers = [
      await ask(whoami, { 'x-api-key': key }),
      await ask(whoami, { 'x-api-key': key }),
      await ask(whoami),
      await ask('/api/nowhere'),
      await server.send('PUT', whoami, { headers: from(APP) }),
      await server.post('/api/v1/projects', '{', { ...from('http://localhost:3000'), ...as(cast.alice) }),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 429, 401, 404, 405, 422]);
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).to.be.oneOf([APP, 'http://localhost:3000']);
      expect(headers['access-control-expose-headers']?.split(', ')).to.include.members([
        ...['RateLimit', 'RateLimit-Policy', 'Retry-After', 'ETag', 'Location', 'X-Request-Id'],
        ...['Idempotency-Replayed', 'WWW-Authenticate'],
      ]);
      expect(headers.vary).to.equal('Origin');
      expect(headers['access-control-allow-credentials']).to.equal(undefined);
    }
  });

  it('is told nothing where its origin is not named, as a page, at support staff, and without CORS_ORIGINS', async () => {
    const silent = [
      await preflight('/api/v1/api-keys', 'GET', OTHER),
      await server.get('/api/v1/whoami', from(OTHER)),
      await server.get('/api/v1/whoami', from(`${APP}.evil.example`)),
      await server.get('/api/v1/whoami', from('null')),
      await server.get('/api/v1/whoami'),
      ...(await Promise.all(
        [acmePage('/api-keys'), '/', '/openapi.json', '/api/admin/api-keys', '/metrics'].map(async (path) =>
          server.get(path, from(APP)),
        ),
      )),
      await preflight(acmePage('/api-keys/new'), 'POST'),
    ];
    const other = await startServer(database.env());
    try {
      const headers = { ...from(APP), 'Access-Control-Request-Method': 'GET' };
      silent.push(await other.send('OPTIONS', '/api/v1/whoami', { headers }));
      silent.push(await other.get('/api/v1/whoami', from(APP)));
    } finally {
      await other.stop();
    }
    for (const answer of silent) expect(corsHeadersOf(answer)).to.deep.equal([]);
    expect(silent.slice(0, 5).map(({ headers }) => headers.vary)).to.deep.equal(Array(5).fill('Origin'));
    expect(silent.at(-1)?.headers.vary).to.equal(undefined);
  });

  it('reads that the database is away', async () => {
    const other = await startServer(database.env(), SETTINGS);
    try {
      await other.services.close();
      const { status, headers } = await other.get('/api/v1/whoami', { ...from(APP), ...as(cast.alice) });
      expect([status, headers['access-control-allow-origin']]).to.deep.equal([503, APP]);
    } finally {
      await other.stop().catch(() => undefined);
    }
  });
});

function corsHeadersOf({ headers }: Answer): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}
