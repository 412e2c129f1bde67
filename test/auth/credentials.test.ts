import { createHmac, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { hashKey, mintKey } from '../../app/domain/token.ts';
import { createRoutes } from '../../app/routes.ts';
import type { Route } from '../../app/http/table.ts';
import { as, joinTenant, addPlayer, addTenant, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { JWT_SECRET } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

type Expected = [status: number, code: string];
type Transport = (key: string) => Headers;

const TRANSPORTS: Record<string, Transport> = {
  'Authorization: ApiKey': (key) => ({ Authorization: `ApiKey ${key}` }),
  'x-api-key': (key) => ({ 'x-api-key': key }),
  'Authorization: Bearer': (key) => ({ Authorization: `Bearer ${key}` }),
};

const NO_ERROR = 'Bearer realm="latchkey", ApiKey realm="latchkey"';
const WITH_ERROR = 'Bearer realm="latchkey", error="invalid_token", ApiKey realm="latchkey"';

onEachDatabase('every faulty credential on every router', (database) => {
  const { server, acme, globex, alice } = useServer(database);
  let routes: Route[];

  before(async () => {
    routes = oneOfEachRouter(createRoutes(server.services).table);
  });

  it('covers a route of each router below both prefixes', () => {
    const prefixes = new Set(
      routes.map(({ path }) =>
        path
          .split('/')
          .slice(0, path.startsWith('/api/v1') ? 3 : 2)
          .join('/'),
      ),
    );
    expect([...prefixes]).to.have.members(['/api/v1', '/api']);
    expect(routes.length).to.be.greaterThan(4);
  });

  describe('keys', () => {
    for (const [name, transport] of Object.entries(TRANSPORTS)) {
      const claimsToBeKey = name !== 'Authorization: Bearer';
      const notKey: Expected = claimsToBeKey ? [401, 'invalid_key'] : [401, 'invalid_token'];

      it(`${name}: an empty one is refused`, async () => expectEverywhere(transport(''), notKey));

      it(`${name}: a malformed one is refused`, async () => expectEverywhere(transport('not-a-key'), notKey));

      it(`${name}: one with a wrong checksum, and an unknown one, are refused`, async () => {
        const { key } = mintKey(server.services.config.keys, 'live');
        const mistyped = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
        await expectEverywhere(transport(mistyped), [401, 'invalid_key']);
        await expectEverywhere(transport(key), [401, 'invalid_key']);
      });

      it(`${name}: a revoked one is refused`, async () => {
        const key = await issue(alice);
        await change(key, { revoked_at: Date.now() });
        await expectEverywhere(transport(key), [401, 'key_revoked']);
      });

      it(`${name}: an expired one is refused from the instant of its expiry`, async () => {
        const key = await issue(alice);
        await change(key, { expires_at: Date.now() });
        await expectEverywhere(transport(key), [401, 'key_expired']);
      });

      it(`${name}: one whose owner is disabled, or has left the tenant, is refused`, async () => {
        const { db } = server.services;
        const dora = await addPlayer(server.services, acme, `Dora ${name}`.replace(/\W/g, ''), { role: 'OWNER' });
        const key = await issue(dora, { owner: 'user' });
        await db('users').where({ id: dora.id }).update({ status: 'disabled' });
        await expectEverywhere(transport(key), [401, 'key_revoked']);
        await db('users').where({ id: dora.id }).update({ status: 'active' });
        await db('memberships').where({ user_id: dora.id }).delete();
        await expectEverywhere(transport(key), [401, 'key_revoked']);
      });

      it(`${name}: one of a suspended tenant is refused`, async () => {
        const { services } = server;
        const closed = await addTenant(services, `Closed ${name}`);
        const key = await issue(await addPlayer(services, closed, 'Dan', { role: 'OWNER' }));
        await services.db('tenants').where({ id: closed.id }).update({ status: 'suspended' });
        await expectEverywhere(transport(key), [403, 'tenant_suspended'], closed.id);
      });

      it(`${name}: one used for another tenant is refused, by id and by slug, whether that tenant exists or not`, async () => {
        const key = await issue(alice);
        for (const foreign of [globex.id, globex.slug, 'no-such-tenant']) {
          await expectEverywhere(transport(key), [403, 'tenant_mismatch'], foreign);
        }
      });

      it(`${name}: one without x-tenant-id is refused below /api, and only there`, async () => {
        const headers = transport(await issue(alice, { scopes: ['*'] }));
        for (const route of routes) {
          const answer = await ask(route, headers);
          if (route.path.startsWith('/api/v1')) expect(answer.status, route.path).not.to.equal(400);
          else expectProblem(answer, [400, 'tenant_required'], route);
        }
      });

      it(`${name}: one used from outside its networks is refused`, async () => {
        const key = await issue(alice, { allowedIps: ['192.0.2.0/24'] });
        await expectEverywhere(transport(key), [403, 'address_not_allowed']);
      });
    }

    it('a text that is no key of ours never reaches the database', async () => {
      const { lookup } = server.services;
      const { key: real } = lookup;
      let asked = 0;
      lookup.key = async (hash) => {
        asked++;
        return real(hash);
      };
      const { key } = mintKey(server.services.config.keys, 'live');
      await expectEverywhere({ 'x-api-key': `${key.slice(0, -1)}_` }, [401, 'invalid_key']);
      expect(asked).to.equal(0);
      await expectEverywhere({ 'x-api-key': key }, [401, 'invalid_key']);
      expect(asked).to.equal(routes.length);
      lookup.key = real;
    });
  });

  describe('tokens', () => {
    const good = () => ({
      sub: alice.id,
      iss: 'latchkey',
      aud: 'latchkey',
      exp: Math.floor(Date.now() / 1000) + 600,
    });
    const faults: Record<string, () => string> = {
      'that is no token': () => 'a.b.c',
      'of algorithm none': () => unsigned({ alg: 'none', typ: 'JWT' }, good()),
      'of algorithm NONE with a signature': () => `${unsigned({ alg: 'NONE', typ: 'JWT' }, good())}x`,
      'signed with another secret': () => jwt.sign(good(), 'x'.repeat(40)),
      'signed with HS512': () => jwt.sign(good(), JWT_SECRET, { algorithm: 'HS512' }),
      'signed with an RSA key of its own': () =>
        jwt.sign(good(), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, { algorithm: 'RS256' }),
      'whose header says RS256 over our HMAC': () => hmac({ alg: 'RS256' }, good()),
      'without exp': () => hmac({ alg: 'HS256' }, { ...good(), exp: undefined }),
      'that has expired': () => jwt.sign({ ...good(), exp: Math.floor(Date.now() / 1000) - 5 }, JWT_SECRET),
      'that is not valid yet': () => jwt.sign({ ...good(), nbf: Math.floor(Date.now() / 1000) + 60 }, JWT_SECRET),
      'for another audience': () => jwt.sign({ ...good(), aud: 'billing' }, JWT_SECRET),
      'of another issuer': () => jwt.sign({ ...good(), iss: 'evil' }, JWT_SECRET),
      'whose payload is an array': () => hmac({ alg: 'HS256' }, [good()]),
      'whose payload is a text': () => hmac({ alg: 'HS256' }, 'alice'),
      'with a path for a kid, in RS256': () => hmac({ alg: 'RS256', kid: '../../x' }, good()),
      'without a subject': () => jwt.sign({ ...good(), sub: undefined }, JWT_SECRET),
      'whose subject is nobody': () => jwt.sign({ ...good(), sub: acme.id }, JWT_SECRET),
      'whose subject is an object': () => hmac({ alg: 'HS256' }, { ...good(), sub: { id: alice.id } }),
    };

    for (const [fault, token] of Object.entries(faults)) {
      it(`one ${fault} is refused`, async () =>
        expectEverywhere({ Authorization: `Bearer ${token()}` }, [401, 'invalid_token']));
    }

    it('one of a disabled person is refused', async () => {
      const erin = await addPlayer(server.services, acme, 'Erin', { role: 'OWNER' });
      await server.services.db('users').where({ id: erin.id }).update({ status: 'disabled' });
      await expectEverywhere({ Authorization: `Bearer ${erin.token}` }, [401, 'invalid_token']);
    });

    it('one bound to a tenant opens no other, even of the same person', async () => {
      const { services } = server;
      const fred = await addPlayer(services, acme, 'Fred', { role: 'OWNER' });
      await joinTenant(services, fred, globex, { role: 'OWNER' });
      const token = jwt.sign({ ...good(), sub: fred.id, tenantId: acme.id }, JWT_SECRET);
      await expectEverywhere({ Authorization: `Bearer ${token}` }, [403, 'tenant_mismatch'], globex.id);
    });

    it('a person of several tenants acts for the one they joined first where nothing names one, below /api/v1', async () => {
      const { services } = server;
      const gina = await addPlayer(services, acme, 'Gina', { role: 'OWNER' });
      await services.db('memberships').where({ user_id: gina.id }).decrement('created_at', 1_000);
      await joinTenant(services, gina, globex, { role: 'OWNER' });
      const headers = { Authorization: `Bearer ${gina.token}` };
      const { body } = await server.get('/api/v1/whoami', headers);
      expect(body).to.have.nested.property('tenant.id', acme.id);
      for (const route of routes.filter(({ path }) => !path.startsWith('/api/v1'))) {
        expectProblem(await ask(route, headers), [400, 'tenant_required'], route);
      }
    });

    it('nothing a client sends can choose the secret', async () => {
      const token = jwt.sign(good(), 'chosen by the client, and long enough');
      const route = routes[0] as Route;
      const answer = await server.get(`${filled(route.path)}?secret=chosen`, {
        Authorization: `Bearer ${token}`,
        'x-tenant-id': acme.id,
        secret: 'chosen by the client, and long enough',
      });
      expect(answer.status).to.equal(401);
    });
  });

  describe('both or neither', () => {
    it('no credential is 401 and names no error', async () => {
      for (const route of routes) {
        const answer = await ask(route, { 'x-tenant-id': acme.id });
        expectProblem(answer, [401, 'missing_credential'], route);
        expect(answer.headers['www-authenticate']).to.equal(NO_ERROR);
      }
    });

    it('Basic is no credential of ours, and does not stand in the way of one', async () => {
      await expectEverywhere({ Authorization: 'Basic YTpi' }, [401, 'missing_credential']);
      const answer = await server.get('/api/v1/whoami', {
        Authorization: 'Basic YTpi',
        'x-api-key': await issue(alice),
      });
      expect(answer.status).to.equal(200);
    });

    it('two credentials are 400, even two good ones, even the same one twice', async () => {
      const key = await issue(alice);
      const pairs: Headers[] = [
        { Authorization: `Bearer ${alice.token}`, 'x-api-key': key },
        { Authorization: `ApiKey ${key}`, 'x-api-key': key },
        { Authorization: `ApiKey ${key}`, 'x-api-key': '' },
        { Authorization: [`ApiKey ${key}`, `ApiKey ${key}`] },
        { Authorization: ['Basic YTpi', `ApiKey ${key}`] },
        { 'x-api-key': [key, key] },
      ];
      for (const pair of pairs) await expectEverywhere(pair, [400, 'ambiguous_credentials']);
    });

    it('keys in the query, the body or a cookie are never read', async () => {
      const key = await issue(alice);
      const answer = await server.get(`/api/v1/whoami?api_key=${key}&apiKey=${key}&access_token=${alice.token}`, {
        Cookie: `api_key=${key}; jwt=${alice.token}; token=${alice.token}`,
      });
      expect(answer.status).to.equal(401);
      expect(answer.text).not.to.include(key);
    });

    it('schemes and header names are read whatever their case', async () => {
      const key = await issue(alice);
      for (const headers of [
        { AUTHORIZATION: `apikey ${key}` } as Headers,
        { 'X-API-KEY': key },
        { authorization: `BEARER ${key}` },
      ]) {
        expect((await server.get('/api/v1/whoami', headers)).status).to.equal(200);
      }
    });
  });

  async function issue(player: Player, input: Record<string, unknown> = {}): Promise<string> {
    const answer = await server.post('/api/api-keys', { name: 'for a test', ...input }, as(player));
    expect(answer.status, answer.text).to.equal(201);
    return (answer.body as { key: string }).key;
  }

  async function change(key: string, fields: Record<string, unknown>): Promise<void> {
    const changed = await server.services.db('api_keys').where('key_hash', hashKey(key)).update(fields);
    expect(changed).to.equal(1);
  }

  async function ask({ method, path }: Route, headers: Headers): Promise<Answer> {
    return server.send(method, filled(path), { headers });
  }

  async function expectEverywhere(headers: Headers, expected: Expected, tenant = acme.id): Promise<void> {
    for (const route of routes) {
      expectProblem(await ask(route, { ...headers, 'x-tenant-id': tenant }), expected, route);
    }
  }
});

function expectProblem(answer: Answer, [status, code]: Expected, route: Route): void {
  const { body, headers } = answer;
  const at = `${route.method} ${route.path}`;
  expect([answer.status, (body as { code?: unknown }).code], at).to.deep.equal([status, code]);
  expect(headers['content-type'], at).to.match(/^application\/problem\+json/);
  expect(headers['cache-control'], at).to.equal('no-store');
  expect(headers['x-content-type-options'], at).to.equal('nosniff');
  expect((body as { requestId?: unknown }).requestId, at).to.equal(headers['x-request-id']);
  if (status !== 401) expect(headers, at).not.to.have.property('www-authenticate');
  else if (code !== 'missing_credential') expect(headers['www-authenticate'], at).to.equal(WITH_ERROR);
}

/** The first guarded route of each router, told apart by what follows the prefix. */
function oneOfEachRouter(table: Route[]): Route[] {
  const first = new Map<string, Route>();
  for (const route of table) {
    const router = /^\/api(\/v1)?\/[^/]+/.exec(route.path)?.[0];
    if (router && route.access.kind !== 'public' && !first.has(router)) first.set(router, route);
  }
  return [...first.values()];
}

function filled(path: string): string {
  return path.replace(/:\w+/g, '01890000-0000-7000-8000-000000000000');
}

function unsigned(header: object, payload: unknown): string {
  return `${encoded(header)}.${encoded(payload)}.`;
}

function hmac(header: object, payload: unknown): string {
  const text = `${encoded(header)}.${encoded(payload)}`;
  return `${text}.${createHmac('sha256', JWT_SECRET).update(text).digest('base64url')}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
