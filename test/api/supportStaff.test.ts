import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, refusal, type Key } from '../support/keys.ts';
import { startServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'pass:word, longer' };
const PATH = '/api/admin/api-keys';

interface Listed extends Key {
  tenant: { id: string; slug: string; name: string };
}

onEachDatabase('support staff', (database) => {
  const { server, acme, globex, alice, charlie } = useServer(database, STAFF);
  let deploy: Key;
  let revoked: Key;
  let foreign: Key;

  before(async () => {
    deploy = await issue(server, as(alice), { name: 'deploy 100%' });
    revoked = await issue(server, as(alice), { name: 'old' });
    await server.post(`/api/api-keys/${revoked.id}/revoke`, undefined, as(alice));
    foreign = await issue(server, as(charlie), { name: 'export' });
  });

  it('see the keys of every tenant, the newest first and with their tenant, never their text', async () => {
    const answer = await asked('');
    const { data, total, page, limit } = answer.body as { data: Listed[]; total: number; page: number; limit: number };
    expect({ total, page, limit }).to.deep.equal({ total: 3, page: 1, limit: 20 });
    expect(data.map(({ id, tenant }) => [id, tenant.slug])).to.deep.equal([
      [foreign.id, 'globex'],
      [revoked.id, 'acme'],
      [deploy.id, 'acme'],
    ]);
    expect(data[2]?.tenant).to.deep.equal({ id: acme.id, slug: 'acme', name: 'Acme' });
    for (const { key } of [deploy, revoked, foreign]) expect(answer.text).not.to.include(key);
    expect(data[2]).to.include({ keyPrefix: deploy.keyPrefix, lastFour: deploy.lastFour }).and.not.have.property('key');
  });

  it('narrow them by tenant, status and text, page by page', async () => {
    const searches: [string, Key[]][] = [
      ['?tenant=acme', [revoked, deploy]],
      [`?tenant=${globex.id}`, [foreign]],
      [`?tenant=${globex.id.toUpperCase()}`, [foreign]],
      ['?tenant=nobody', []],
      ['?status=revoked', [revoked]],
      ['?status=active', [foreign, deploy]],
      ['?tenant=acme&status=active', [deploy]],
      ['?q=100%25', [deploy]],
      ['?q=%25', [deploy]],
      [`?q=${foreign.keyPrefix}`, [foreign]],
      [`?q=${revoked.id}`, [revoked]],
      ['?q=', [foreign, revoked, deploy]],
      ['?limit=1&page=2', [revoked]],
      ['?limit=2&page=2', [deploy]],
      ['?page=9', []],
    ];
    for (const [query, keys] of searches) {
      const { data } = (await asked(query)).body as { data: Key[] };
      expect(
        data.map(({ id }) => id),
        query,
      ).to.deep.equal(keys.map(({ id }) => id));
    }
  });

  it('are told which parameter was wrong', async () => {
    for (const query of [
      '?limit=0',
      '?limit=101',
      '?page=x',
      '?status=gone',
      '?tenant=%00',
      '?tenant=',
      '?x=1',
      '?q=a&q=b',
    ]) {
      refusal(await server.get(`${PATH}${query}`, staff()), 400, 'invalid_query');
    }
  });

  it('can change nothing', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      refusal(await server.send(method, PATH, { headers: staff() }), 405, 'method_not_allowed');
      expect((await server.send(method, `${PATH}/${deploy.id}`, { headers: staff() })).status).to.equal(404);
    }
  });

  it('show both user and password, and nothing else will do', async () => {
    const wrong: Headers[] = [
      basic('staff', 'pass'),
      basic('staff', ''),
      basic('Staff', STAFF.ADMIN_PASSWORD),
      basic('', STAFF.ADMIN_PASSWORD),
      basic('staff', `${STAFF.ADMIN_PASSWORD} `),
    ];
    for (const headers of wrong) {
      const answer = await server.get(PATH, headers);
      refusal(answer, 401, 'invalid_login');
      expect(answer.headers['www-authenticate']).to.equal('Basic realm="latchkey", charset="UTF-8"');
    }
    const none: Headers[] = [
      {},
      { Authorization: 'Basic' },
      { Authorization: 'Basic %%%' },
      { Authorization: `Bearer ${alice.token}` },
      { 'x-api-key': deploy.key },
    ];
    for (const headers of none) {
      const answer = await server.get(PATH, headers);
      refusal(answer, 401, 'missing_credential');
      expect(answer.headers['www-authenticate']).to.equal('Basic realm="latchkey", charset="UTF-8"');
    }
    const twice = [basic('staff', STAFF.ADMIN_PASSWORD), basic('staff', 'x')].map((one) => one.Authorization);
    refusal(await server.get(PATH, { Authorization: twice }), 400, 'ambiguous_credentials');
    expect(
      (await server.get(PATH, { Authorization: staff().Authorization.replace('Basic', 'bASIC') })).status,
    ).to.equal(200);
  });

  it('open no other route with their password', async () => {
    for (const path of ['/api/v1/whoami', '/api/v1/admin/routes', '/api/v1/api-keys', '/api/admin/routes']) {
      const headers = { ...staff(), 'x-tenant-id': 'acme' };
      refusal(await server.get(path, headers), 401, 'missing_credential');
    }
    expect((await server.get('/api/v1/admin/api-keys', staff())).status).to.equal(404);
  });

  it('are throttled by address once they have been wrong too often, however many try at once', async () => {
    const limits = { LOGIN_LIMIT: '3/3600', TRUSTED_HOPS: '1' };
    const strict = await startServer(database.env(), { ...STAFF, ...limits });
    try {
      const from = (address: string, headers: Headers) => strict.get(PATH, { ...headers, 'X-Forwarded-For': address });
      for (let i = 0; i < 6; i++) expect((await from('203.0.113.1', staff())).status).to.equal(200);
      const guesses = await Promise.all(
        [1, 2, 3, 4, 5].map(async (i) => from('203.0.113.1', basic('staff', `no ${i}`))),
      );
      expect(guesses.map(({ status }) => status).sort()).to.deep.equal([401, 401, 401, 429, 429]);
      const late = await from('203.0.113.1', staff());
      refusal(late, 429, 'rate_limited');
      expect(Number(late.headers['retry-after'])).to.be.within(1, 3600);
      expect((await from('203.0.113.2', staff())).status).to.equal(200);
    } finally {
      await strict.stop();
    }
  });

  it('have no routes where ADMIN_USER is not set', async () => {
    const other = await startServer(database.env());
    try {
      for (const headers of [{}, staff(), as(alice)]) {
        refusal(await other.get(PATH, headers), 404, 'not_found');
        refusal(await other.post(PATH, {}, headers), 404, 'not_found');
      }
    } finally {
      await other.stop();
    }
  });

  async function asked(query: string): Promise<Answer> {
    const answer = await server.get(`${PATH}${query}`, staff());
    expect(answer.status, `${query} ${answer.text}`).to.equal(200);
    return answer;
  }
});

function basic(user: string, password: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

function staff(): { Authorization: string } {
  return basic(STAFF.ADMIN_USER, STAFF.ADMIN_PASSWORD);
}
