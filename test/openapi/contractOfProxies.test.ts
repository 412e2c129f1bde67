import { expect } from 'chai';
import { addPlayer, as, bearer, castOf } from '../support/cast.ts';
import { Contract } from '../support/contract.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { askAs, PROXY_NAMES, type ProxyName } from '../support/proxies.ts';
import { startServer, type TestServer } from '../support/server.ts';

onEachDatabase('every documented operation of proxies', (database) => {
  let server: TestServer;

  before(async () => {
    server = await startServer(database.env());
  });
  // The test closes its services.
  after(async () => server.stop().catch(() => undefined));

  it('answers as documented, whatever it is asked', async () => {
    const { acme, alice } = await castOf(server);
    const operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const rules = [{ method: '*', path: '/projects/*', scope: 'projects:read' }];
    expect((await server.put('/api/v1/forward-auth/rules', { rules }, bearer(operator))).status).to.equal(200);
    const { body } = await server.get('/openapi.json');
    const contract = new Contract(body, ({ path }) => path.startsWith('/forward-auth/'));
    expect(contract.operations.length).to.equal(PROXY_NAMES.length);
    const key = async (wish: object) => ({ 'x-api-key': (await issue(server, as(alice), wish)).key });
    const good = await key({ scopes: ['projects:read'] });
    const limited = await key({ scopes: ['projects:read'], rateLimit: { limit: 1, windowSeconds: 60 } });
    const bad = await key({ scopes: ['orders:read'] });
    const target = '/projects/42';

    const problems: string[] = [];
    const visit = async (asked: (proxy: ProxyName) => Promise<Answer>) => {
      for (const operation of contract.operations) {
        const proxy = operation.path.split('/')[2] as ProxyName;
        const problem = contract.problem(operation, await asked(proxy));
        if (problem !== undefined) problems.push(`${operation.path}: ${problem}`);
      }
    };
    const sent = async (proxy: ProxyName, headers: Headers, path = target) =>
      askAs(proxy, server, { target: path, headers });
    for (const headers of [good, {}, { 'x-api-key': 'no key' }, bad, { ...good, Authorization: 'ApiKey x' }]) {
      await visit(async (proxy) => sent(proxy, headers));
    }
    for (let n = 0; n < 2; n++) await visit(async (proxy) => sent(proxy, limited));
    await visit(async (proxy) => sent(proxy, good, '/elsewhere'));
    await visit(async (proxy) => sent(proxy, good, '//'));
    await visit(async (proxy) => askAs(proxy, server, { target, address: 'unknown', headers: good }));
    await server.services.close();
    await visit(async (proxy) => sent(proxy, good));
    expect(problems).to.deep.equal([]);
    expect(contract.unseen().filter((one) => !one.endsWith(' 500'))).to.deep.equal([]);
  });
});
