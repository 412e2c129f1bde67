import { expect } from 'chai';
import { addPlayer, as, bearer, castOf, type Cast } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { onEachDatabase } from '../support/databases.ts';
import { whenAvailable, type Client } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { askAs } from '../support/proxies.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CHANGES = process.env.TEST_LONG ? 300 : 30;
/** Keys that are changed at the same time. */
const LANES = 6;

onEachDatabase('a change by another process, as proxies are told of it', (database) => {
  let server: TestServer;
  let cast: Cast;
  let other: Client;

  before(async function () {
    this.timeout(60_000);
    server = await startServer(database.env());
    cast = await castOf(server);
    const child = await startMain({ ...database.env(), KEY_LIMIT: 'off', PERSON_LIMIT: 'off', LOG_LEVEL: 'info' });
    await child.says('"ready"');
    other = child.client;
  });
  after(async () => {
    await endChildren();
    await server.stop();
  });

  it('holds for every request that begins after the change of a key or of the rules was answered', async function () {
    this.timeout(120_000);
    const operator = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    const late: string[] = [];
    /** Asks all the time meanwhile, so that whoever kept an answer would have one to give. */
    const during = async (ask: () => Promise<unknown>, work: () => Promise<void>) => {
      const asking = { on: true };
      const hammer = (async () => {
        while (asking.on) await ask();
      })();
      await work();
      asking.on = false;
      await hammer;
    };
    const rules = (scope: string) => [{ method: 'GET', path: '/projects/*', scope }];
    const putRules = async (client: Client, scope: string) => {
      const put = async () => client.put('/api/v1/forward-auth/rules', { rules: rules(scope) }, bearer(operator));
      const answer = await whenAvailable(put);
      expect(answer.status, answer.text).to.equal(200);
    };
    await putRules(server, 'read');

    let left = CHANGES / 2;
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        while (left > 0) {
          const kind = left--;
          const { id, key } = await issue(server, as(cast.alice), { scopes: ['read'] });
          const status = async () =>
            (
              await whenAvailable(async () =>
                askAs('caddy', server, { target: '/projects/1', headers: { 'x-api-key': key } }),
              )
            ).status;
          expect(await status()).to.equal(200);
          const changes = [
            ['POST', `/api/api-keys/${id}/revoke`, {}, 401],
            ['POST', `/api/api-keys/${id}/rotate`, {}, 401],
            ['PATCH', `/api/api-keys/${id}`, { scopes: ['orders:write'] }, 403],
          ] as const;
          const [method, path, json, expected] = changes[kind % changes.length] as (typeof changes)[number];
          await during(status, async () => {
            const answer = await whenAvailable(async () => other.send(method, path, { json, headers: as(cast.alice) }));
            expect(answer.status, answer.text).to.equal(200);
            for (let n = 0; n < 3; n++) {
              const told = await status();
              if (told !== expected) late.push(`${method} ${path}: ${told}`);
            }
          });
        }
      }),
    );

    const { key } = await issue(server, as(cast.alice), { scopes: ['projects:read'] });
    const status = async () =>
      (
        await whenAvailable(async () =>
          askAs('nginx', server, { target: '/projects/1', headers: { 'x-api-key': key } }),
        )
      ).status;
    await during(status, async () => {
      for (let n = 0; n < CHANGES / 2; n++) {
        const [scope, expected] = n % 2 === 0 ? (['orders:read', 403] as const) : (['projects:read', 200] as const);
        await putRules(other, scope);
        const told = await Promise.all([status(), status()]);
        if (told.some((one) => one !== expected)) late.push(`rules ${scope}: ${told.join()}`);
      }
    });
    expect(late).to.deep.equal([]);
  });
});
