import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { mintKey } from '../../app/domain/token.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { as } from '../support/cast.ts';
import { endChildren, freePort } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { Client, type Answer, type Headers } from '../support/http.ts';
import { issue, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { startGo, startPython, type Backend, type Settings } from './backends/backend.ts';
import { startExpress, startFastify, startKoa } from './backends/node.ts';

/** Each file of docs/clients by what its guards stand in front of. */
const BACKENDS: Record<string, (settings: Settings) => Promise<Backend>> = {
  Koa: startKoa,
  Express: startExpress,
  Fastify: startFastify,
  WSGI: async (settings) => startPython('wsgi', settings),
  ASGI: async (settings) => startPython('asgi', settings),
  'net/http': startGo,
};

// Whatever the database, verify answers the same, which is tested where verify is.
onDatabase('sqlite', 'the clients in docs/clients', (database) => {
  const { server, alice, acme } = useServer(database);
  const open = new Set<Server>();

  after(async () => {
    await endChildren();
    for (const one of open) one.close();
  });

  async function serving(tcp: Server): Promise<string> {
    open.add(tcp);
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    return `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`;
  }

  const newKey = async (wish: object = {}) => issue(server, as(alice), { scopes: ['projects:read'], ...wish });
  const revoke = async ({ id }: Key) => server.post(`/api/api-keys/${id}/revoke`, {}, as(alice));

  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  after(() => process.off('warning', note));

  /** How many connections each backend has opened to Latchkey. */
  const connections: Record<string, number> = {};
  const backends: Record<string, Backend> = {};

  // Go compiles its standard library where it never did before.
  before(async function () {
    this.timeout(120_000);
    process.on('warning', note);
    const port = Number(new URL(server.url).port);
    const common = {
      // As it is read from a file.
      LATCHKEY_KEY: `${(await newKey({ scopes: ['keys:verify'] })).key}\n`,
      HANGING_URL: await serving(createServer()),
      AWAY_URL: `http://127.0.0.1:${await freePort()}`,
      MOVED_URL: await serving(
        createHttpServer((_, response) => {
          response.writeHead(307, { Location: `${server.url}/api/v1/keys/verify` }).end();
        }),
      ),
    };
    const starting = Object.entries(BACKENDS).map(async ([name, start]) => {
      const counted = createServer((socket) => {
        connections[name] = (connections[name] ?? 0) + 1;
        joined(socket, connect(port, '127.0.0.1'));
      });
      backends[name] = await start({ ...common, LATCHKEY_URL: await serving(counted) });
    });
    await Promise.all(starting);
  });
  after(async () => Promise.all(Object.values(backends).map(async ({ stop }) => stop())));

  for (const name of Object.keys(BACKENDS)) {
    describe(`in front of ${name}`, () => {
      let client: Client;
      before(() => {
        client = new Client(backends[name]?.url ?? '');
      });
      after(() => client.close());

      const ask = async (key: Key, path = '/projects') => client.get(path, { 'x-api-key': key.key });

      it('let a key in by each of the three headers, tell the handler whose it is, and keep their connections', async () => {
        const key = await newKey({ externalId: 'customer-7' });
        const ways: Headers[] = [
          { 'x-api-key': key.key },
          { Authorization: `ApiKey ${key.key}` },
          { authorization: `bearer ${key.key}` },
          { 'X-API-Key': key.key, Authorization: 'Basic cHJveHk6cHJveHk=' },
        ];
        for (let n = 0; n < 20; n++) {
          const { status, body, text } = await client.get('/projects', { ...ways[n % 4], 'User-Agent': 'cli/1.0' });
          expect(status, text).to.equal(200);
          expect(body).to.deep.equal({
            ...{ keyId: key.id, tenantId: acme.id, scopes: ['projects:read'], externalId: 'customer-7' },
          });
        }
        expect(connections[name]).to.be.within(1, 10);
        let uses: object[];
        do {
          // On a slow machine they are written later than a flush waits.
          await server.services.usage.flush();
          uses = (await server.services.db('api_key_usage').where({ key_id: key.id })) as object[];
        } while (uses.length < 20);
        expect(uses).to.have.length(20);
        expect(uses[0]).to.include({ endpoint: 'GET /projects', ip: '127.0.0.1', user_agent: 'cli/1.0' });
      });

      it('refuse a key with the problem that Latchkey itself tells', async () => {
        const soon = new Date(Date.now() + 60_000).toISOString();
        const [lacking, revoked, paused, expired, elsewhere, busy, spent] = await Promise.all([
          newKey({ scopes: ['files:read'] }),
          newKey(),
          newKey(),
          newKey({ expiresAt: soon }),
          newKey({ allowedIps: ['192.0.2.0/24'] }),
          newKey({ rateLimit: { limit: 1, windowSeconds: 3_600 } }),
          newKey({ monthlyQuota: 1 }),
        ]);
        for (const key of [revoked, paused, expired, busy, spent]) expect((await ask(key)).status).to.equal(200);
        await revoke(revoked);
        await server.post(`/api/api-keys/${paused.id}/pause`, {}, as(alice));
        await server.services
          .db('api_keys')
          .where({ id: expired.id })
          .update({ expires_at: Date.now() - 1 });
        const garbage = { ...busy, key: `${busy.key}x` };
        const unknown = { ...busy, key: mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key };
        const cases: [Key, status: number, code: string][] = [
          [garbage, 401, 'invalid_key'],
          [{ ...busy, key: '' }, 401, 'invalid_key'],
          [{ ...busy, key: 'x'.repeat(5_000) }, 401, 'invalid_key'],
          [unknown, 401, 'invalid_key'],
          [revoked, 401, 'key_revoked'],
          [paused, 401, 'key_paused'],
          [expired, 401, 'key_expired'],
          [elsewhere, 403, 'address_not_allowed'],
          [lacking, 403, 'insufficient_scope'],
          [busy, 429, 'rate_limited'],
          [spent, 429, 'quota_exceeded'],
        ];
        for (const [key, status, code] of cases) {
          const answer = await ask(key);
          expect([answer.status, (answer.body as { code?: string }).code], answer.text).to.deep.equal([status, code]);
          expect(problemOf(answer)).to.deep.equal(
            problemOf(await server.get('/api/v1/projects', { 'x-api-key': key.key })),
          );
        }
        expect(Number((await ask(busy)).headers['retry-after'])).to.be.within(3_500, 3_600);
      });

      it('refuse requests without a key, and those with two', async () => {
        const { key } = await newKey();
        const none = await client.get('/projects', { Authorization: 'Basic cHJveHk6cHJveHk=' });
        expect([none.status, (none.body as { code: string }).code]).to.deep.equal([401, 'missing_credential']);
        expect(none.headers['www-authenticate']).to.equal('Bearer realm="latchkey", ApiKey realm="latchkey"');
        const twice: Headers[] = [
          { 'x-api-key': key, Authorization: `Bearer ${key}` },
          { 'x-api-key': [key, key] },
          { Authorization: [`ApiKey ${key}`, `ApiKey ${key}`] },
        ];
        for (const headers of twice) {
          const { status, body, headers: told } = await client.get('/projects', headers);
          expect([status, (body as { code?: string }).code]).to.deep.equal([400, 'ambiguous_credentials']);
          expect(told['content-type']).to.equal('application/problem+json');
        }
      });

      it('refuse by 503 within their deadline while Latchkey is silent, and open only where that was asked for', async () => {
        const key = await newKey();
        const asked = performance.now();
        const silent = await ask(key, '/hanging');
        expect(performance.now() - asked).to.be.within(250, 900 + BUSY_MACHINE_MS);
        // Latchkey answers this one, but not to a backend whose own key is wrong.
        // Where another server sends it on, the keys would be told to a third.
        for (const answer of [silent, await ask(key, '/stranger'), await ask(key, '/moved')]) {
          expect([answer.status, answer.headers['retry-after']]).to.deep.equal([503, '1']);
          expect((answer.body as { code?: string }).code).to.equal('temporarily_unavailable');
        }
        const unchecked = await ask(key, '/open');
        expect([unchecked.status, (unchecked.body as { keyId: string | null }).keyId]).to.deep.equal([200, null]);
        expect((await client.get('/open')).status).to.equal(401);
      });
    });
  }

  it('remember a good key for the time that was stated, its own scopes and its own life, and no longer', async () => {
    const checks = Object.entries(backends).map(async ([name, { url }]) => {
      const client = new Client(url);
      const status = async ({ key }: Key, path: string) => (await client.get(path, { 'x-api-key': key })).status;
      const untilRefused = async (key: Key, path: string) => {
        while ((await status(key, path)) === 200) await delay(20);
        return Date.now();
      };
      const [key, ending] = [await newKey(), await newKey()];
      const asked = Date.now();
      for (const path of ['/remembered', '/lasting']) expect(await status(key, path), name).to.equal(200);
      await revoke(key);
      expect(await status(key, '/projects'), `${name}, where nothing is remembered`).to.equal(401);
      expect(await status(key, '/lasting'), `${name}, for a minute`).to.equal(200);
      expect(await status(key, '/lasting/files'), `${name}, for other scopes`).to.equal(401);
      expect(await untilRefused(key, '/remembered'), `${name}, for a second`).to.be.at.least(asked + 990);
      let endsAt: number;
      do {
        // A slow machine may be asked too late; a refusal is not remembered, so that it can be asked again.
        endsAt = Date.now() + 500;
        await server.services.db('api_keys').where({ id: ending.id }).update({ expires_at: endsAt });
      } while ((await status(ending, '/lasting')) !== 200);
      // A minute has not passed, so that only its own end can have ended it.
      expect(await untilRefused(ending, '/lasting'), `${name}, a key that ends`).to.be.at.least(endsAt);
      client.close();
    });
    await Promise.all(checks);
  });

  describe('in what they log', () => {
    it('say why there was no answer, and no key', () => {
      const said = [...warnings, ...Object.values(backends).map((backend) => backend.said())].filter((text) =>
        text.includes('Latchkey gave no verdict'),
      );
      expect(said).to.have.length.at.least(5);
      expect(said.join('\n'))
        .to.include('401')
        .and.not.match(/fsk_|x-api-key|authorization/i);
    });
  });
});

/** What an answer says to who sent the key, without the name of the request. */
function problemOf({ status, headers, body }: Answer): object {
  const problem = { ...(body as object), requestId: undefined };
  const { 'content-type': type, 'cache-control': cache, 'www-authenticate': challenge } = headers;
  return { status, type, cache, challenge, waits: headers['retry-after'] !== undefined, problem };
}

function joined(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}
