import { expect } from 'chai';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { storeNewKey, newKeyState } from '../../../app/actions/keys/storedKey.ts';
import { newId } from '../../../app/domain/id.ts';
import { lockApiKey, updateApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { as, bearer } from '../../support/cast.ts';
import { onEachDatabase, untilSomebodyWaits } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { auditOf, detailOf, issue, keyOf, read, refusal, rotate, tried, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

interface App {
  id: string;
  name: string;
  description: string;
  scopes: string[];
  installed: boolean;
}

const DAY_MS = 86_400_000;

onEachDatabase('the marketplace', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  afterEach(async () => {
    const { db } = server.services;
    for (const table of ['app_installs', 'api_keys', 'api_key_scopes', 'audit_logs']) await db(table).delete();
    await db('tenants').update({ policy: null });
  });

  it('lists the apps with what each may do, none of them installed', async () => {
    const apps = await listed();
    expect(apps.map(({ id }) => id)).to.deep.equal(['cli', 'ci', 'zapier', 'make', 'background-worker']);
    for (const { name, description, scopes, installed } of apps) {
      expect(name).to.match(/\w/);
      expect(description).to.match(/\w+\.$/);
      expect(scopes).to.not.be.empty;
      expect(installed).to.equal(false);
    }
  });

  it('gives an app a service token with the scopes it declares, shown once', async () => {
    const token = installed(await install('zapier'));
    expect(token).to.include({ app: 'zapier', owner: 'tenant', name: 'Zapier', status: 'active', environment: 'live' });
    expect(token.scopes).to.deep.equal(appNamed(await listed(), 'zapier').scopes);
    expect(appNamed(await listed(), 'zapier').installed).to.equal(true);
    const who = await server.get('/api/v1/whoami', { 'x-api-key': token.key });
    expect(who.body).to.include({ type: 'api_key', id: token.id, name: 'Zapier' });
    expect(await read(server, alice(), token.id)).not.to.have.property('key');
    expect((await server.get('/api/marketplace', alice())).text).not.to.include(token.key);
  });

  it('writes down who installed what, and nothing secret', async () => {
    const { id, key } = installed(await install('cli'));
    const [row] = await auditOf(server, alice(), 'cli');
    expect(row).to.deep.include({ action: 'APP_INSTALLED', entity: 'app', entityId: 'cli', actorId: cast.alice.id });
    expect(row?.after).to.deep.equal({ keyId: id, scopes: ['read'] });
    expect((await auditOf(server, alice(), id)).map(({ action }) => action)).to.deep.equal(['API_KEY_CREATED']);
    expect((await server.get('/api/audit-logs', alice())).text).not.to.include(key);
  });

  it('is 409 for an app that is installed already, but not in another tenant', async () => {
    installed(await install('cli'));
    refusal(await install('cli'), 409, 'conflict');
    installed(await install('ci'));
    installed(await install('cli', as(cast.charlie)));
  });

  it('installs once of many installs at once, and leaves nothing of the others', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, async () => install('make')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([201, 409, 409, 409, 409, 409, 409, 409]);
    const { db } = server.services;
    expect(await db('api_keys').where({ app: 'make' })).to.have.length(1);
    expect(await db('app_installs')).to.have.length(1);
    expect(await db('audit_logs').where({ action: 'APP_INSTALLED' })).to.have.length(1);
  });

  if (database.kind === 'mysql') {
    it('uninstalls an app with the token that a rotation puts in the place of its own at that moment', async () => {
      const { db, config } = server.services;
      const token = installed(await install('cli'));
      const rotating = await db.transaction();
      const old = await lockApiKey(rotating, cast.acme.id, token.id);
      if (!old) throw new Error('there is no token');
      const removal = uninstall('cli');
      await untilSomebodyWaits(db);
      const act = systemContext(db, cast.acme.id);
      const matter = { ...old, id: newId(), previousKeyId: old.id, ...newKeyState(act) };
      const next = await storeNewKey(rotating, config.keys, matter);
      const graceEndsAt = act.now + 600_000;
      await updateApiKey(rotating, { ...old, successorKeyId: next.key.id, graceEndsAt, updatedAt: act.now });
      await rotating.commit();
      expect((await removal).status).to.equal(200);
      for (const text of [token.key, next.text]) expect(await tried(server, text)).to.equal('401 key_revoked');
      expect((await auditOf(server, alice(), next.key.id)).map(({ action }) => action)).to.deep.equal([
        'API_KEY_REVOKED',
      ]);
    });

    it('is 409 for the second even where the first comes in between', async () => {
      const { db } = server.services;
      // Under a limit of keys an install waits for its tenant, after it has looked whether the app is there.
      await db('tenants').where({ id: cast.acme.id }).update({ plan: 'starter' });
      const first = await db.transaction();
      await first('tenants').where({ id: cast.acme.id }).forUpdate().first();
      const second = install('make');
      await untilSomebodyWaits(db);
      const row = { id: 'first', tenant_id: cast.acme.id, app: 'make', key_id: 'first', active: 1, installed_at: 1 };
      await first('app_installs').insert(row);
      await first('tenants').where({ id: cast.acme.id }).update({ plan: 'free' });
      await first.commit();
      refusal(await second, 409, 'conflict');
      expect(await db('api_keys').where({ app: 'make' })).to.deep.equal([]);
    });
  }

  describe('to a key', () => {
    it('gives only apps whose scopes it covers, and names the one it lacks', async () => {
      const installer = await issue(server, alice(), { scopes: ['marketplace:install', 'read', 'orders:write'] });
      const header = { 'x-api-key': installer.key };
      const refused = await server.post('/api/v1/marketplace/install', { app: 'zapier' }, header);
      refusal(refused, 403, 'insufficient_scope');
      expect(detailOf(refused)).to.equal('Missing required scope: customers:write');
      expect(appNamed(await listed(), 'zapier').installed).to.equal(false);
      const token = installed(await server.post('/api/v1/marketplace/install', { app: 'cli' }, header));
      expect(token.scopes).to.deep.equal(['read']);
      expect((await auditOf(server, alice(), 'cli'))[0]).to.include({ actorType: 'api_key', actorId: installer.id });
    });

    it('that belongs to a person gives no more than that person could', async () => {
      const { key } = await issue(server, alice(), { scopes: ['*'], owner: 'user' });
      const { db } = server.services;
      await db('memberships').where({ user_id: cast.alice.id }).update({ role: 'MEMBER' });
      const answer = await server.post('/api/v1/marketplace/install', { app: 'cli' }, { 'x-api-key': key });
      await db('memberships').where({ user_id: cast.alice.id }).update({ role: 'OWNER' });
      refusal(answer, 403, 'insufficient_scope');
    });

    it('without the scope says which one it takes', async () => {
      const { key } = await issue(server, alice(), { scopes: ['read'] });
      const answer = await server.post('/api/v1/marketplace/install', { app: 'cli' }, { 'x-api-key': key });
      refusal(answer, 403, 'insufficient_scope');
      expect(detailOf(answer)).to.equal('Missing required scope: marketplace:install');
    });
  });

  it('is for admins, and to look at for members', async () => {
    installed(await install('cli', as(cast.carol)));
    expect((await server.get('/api/v1/marketplace', bearer(cast.bob))).status).to.equal(200);
    refusal(await install('ci', as(cast.bob)), 403, 'insufficient_scope');
    refusal(await uninstall('cli', as(cast.bob)), 403, 'insufficient_scope');
  });

  describe('uninstalling', () => {
    it('revokes the token at once, and lets the app be installed anew', async () => {
      const token = installed(await install('cli'));
      const answer = await uninstall('cli');
      expect([answer.status, answer.body]).to.deep.equal([200, { id: 'cli', installed: false }]);
      expect(await tried(server, token.key)).to.equal('401 key_revoked');
      expect(appNamed(await listed(), 'cli').installed).to.equal(false);
      const again = installed(await install('cli'));
      expect(again.id).not.to.equal(token.id);
      expect(await tried(server, again.key)).to.equal('200');
    });

    it('twice is as good as once, and written down once', async () => {
      const { id } = installed(await install('cli'));
      const first = await uninstall('cli');
      const second = await uninstall('cli');
      expect([second.status, second.body]).to.deep.equal([first.status, first.body]);
      expect((await auditOf(server, alice(), 'cli')).map(({ action }) => action)).to.deep.equal([
        'APP_INSTALLED',
        'APP_UNINSTALLED',
      ]);
      expect((await auditOf(server, alice(), id)).map(({ action }) => action)).to.deep.equal([
        'API_KEY_CREATED',
        'API_KEY_REVOKED',
      ]);
    });

    it('revokes what the token was rotated into, and what still overlaps', async () => {
      const token = installed(await install('cli'));
      const next = await rotate(server, alice(), token.id, { gracePeriodSeconds: 600 });
      expect(appNamed(await listed(), 'cli').installed).to.equal(true);
      refusal(await install('cli'), 409, 'conflict');
      await uninstall('cli');
      expect(await tried(server, token.key)).to.equal('401 key_revoked');
      expect(await tried(server, next.key)).to.equal('401 key_revoked');
    });

    it('does not reach into another tenant', async () => {
      const token = installed(await install('cli'));
      await uninstall('cli', as(cast.charlie));
      expect(await tried(server, token.key)).to.equal('200');
    });

    it('is not for a key that could not do what the app does', async () => {
      const token = installed(await install('cli'));
      const { key } = await issue(server, alice(), { scopes: ['marketplace:install'] });
      const answer = await server.post('/api/v1/marketplace/cli/uninstall', undefined, { 'x-api-key': key });
      refusal(answer, 403, 'insufficient_scope');
      expect(await tried(server, token.key)).to.equal('200');
      expect(appNamed(await listed(), 'cli').installed).to.equal(true);
    });

    it('is 404 for an app that there is not', async () => {
      for (const app of ['nothing', 'CLI', '__proto__', 'cli%00']) refusal(await uninstall(app), 404, 'not_found');
    });
  });

  it('takes an app whose token was revoked by hand for not installed', async () => {
    const token = installed(await install('cli'));
    await server.post(`/api/api-keys/${token.id}/revoke`, undefined, alice());
    expect(appNamed(await listed(), 'cli').installed).to.equal(false);
    installed(await install('cli'));
    refusal(await install('cli'), 409, 'conflict');
  });

  it('keeps the policy: a token has an end where one is required, as late as is allowed', async () => {
    await setPolicy({ requireExpiry: true });
    expectDays(installed(await install('cli')), 365);
    await setPolicy({ maxLifetimeDays: 30 });
    expectDays(installed(await install('ci')), 30);
  });

  it('refuses an app that there is not, and fields that there are not', async () => {
    expect(refusal(await install('nothing'), 422, 'invalid_input')).to.deep.equal(['app']);
    const answer = await server.post('/api/marketplace/install', { app: 'cli', scopes: ['*'] }, alice());
    expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['scopes']);
  });

  async function install(app: string, headers: Headers = alice()): Promise<Answer> {
    return server.post('/api/marketplace/install', { app }, headers);
  }

  async function uninstall(app: string, headers: Headers = alice()): Promise<Answer> {
    return server.post(`/api/marketplace/${app}/uninstall`, undefined, headers);
  }

  async function listed(): Promise<App[]> {
    const answer = await server.get('/api/marketplace', alice());
    expect(answer.status, answer.text).to.equal(200);
    return (answer.body as { data: App[] }).data;
  }

  async function setPolicy(policy: object): Promise<void> {
    await server.services
      .db('tenants')
      .where({ id: cast.acme.id })
      .update({ policy: JSON.stringify(policy) });
  }
});

function installed(answer: Answer): Key {
  return keyOf(answer, 201);
}

function appNamed(apps: readonly App[], id: string): App {
  const app = apps.find((one) => one.id === id);
  if (!app) throw new Error(`${id} is not listed`);
  return app;
}

function expectDays({ expiresAt, createdAt }: Key, days: number): void {
  expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt)).to.equal(days * DAY_MS);
}
