import { expect } from 'chai';
import { as, castOf, type Cast } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { onEachDatabase } from '../support/databases.ts';
import { whenAvailable, type Client } from '../support/http.ts';
import { issue, keyOf } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CHANGES = process.env.TEST_LONG ? 300 : 50;
/** Keys that are changed at the same time. */
const LANES = 10;

onEachDatabase('a change of a key by another process, as another backend is told of it', (database) => {
  let server: TestServer;
  let cast: Cast;
  let other: Client;

  before(async function () {
    this.timeout(60_000);
    server = await startServer(database.env());
    cast = await castOf(server);
    const child = await startMain({ ...database.env(), KEY_LIMIT: 'off', LOG_LEVEL: 'info' });
    await child.says('"ready"');
    other = child.client;
  });
  after(async () => {
    await endChildren();
    await server.stop();
  });

  it('holds for every question that begins after the change was answered', async function () {
    this.timeout(120_000);
    const { key: caller } = await issue(server, as(cast.alice), { scopes: ['keys:verify'] });
    const by = { 'x-api-key': caller };
    const late: string[] = [];
    let left = CHANGES;
    const post = async (path: string, json: unknown) => whenAvailable(async () => server.post(path, json, by));
    const ways = [
      async (key: string) => (await post('/api/v1/keys/verify', { key, scopes: ['read'] })).body,
      async (key: string) => {
        const { body } = await post('/api/v1/keys/verify-batch', { keys: [{ key, scopes: ['read'] }] });
        return (body as { results: unknown[] }).results[0];
      },
    ];
    const codesOf = async (key: string) =>
      Promise.all(ways.map(async (ask) => ((await ask(key)) as { code: string }).code));
    const change = async (id: string, kind: number): Promise<string> => {
      const changes = [
        ['POST', `/api/api-keys/${id}/revoke`, {}, 'revoked'],
        ['POST', `/api/api-keys/${id}/rotate`, {}, 'revoked'],
        ['POST', `/api/api-keys/${id}/pause`, {}, 'paused'],
        ['PATCH', `/api/api-keys/${id}`, { scopes: ['orders:read'] }, 'insufficient_scope'],
      ] as const;
      const [method, path, json, expected] = changes[kind % changes.length] as (typeof changes)[number];
      const answer = await whenAvailable(async () => other.send(method, path, { json, headers: as(cast.alice) }));
      expect(answer.status, answer.text).to.equal(200);
      return expected;
    };
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        while (left > 0) {
          const kind = left--;
          const wanted = { name: 'asked about', scopes: ['read'] };
          const made = await whenAvailable(async () => server.post('/api/api-keys', wanted, as(cast.alice)));
          const { id, key } = keyOf(made, 201);
          const asking = { on: true };
          // Asked all the time, so that whoever kept an answer would have one to give.
          const hammer = (async () => {
            while (asking.on) await codesOf(key);
          })();
          expect(await codesOf(key)).to.deep.equal(['valid', 'valid']);
          const expected = await change(id, kind);
          for (let n = 0; n < 3; n++) late.push(...(await codesOf(key)).filter((code) => code !== expected));
          asking.on = false;
          await hammer;
        }
      }),
    );
    expect(late).to.deep.equal([]);
  });
});
