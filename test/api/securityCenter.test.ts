import { expect } from 'chai';
import { addPlayer, addTenant, as, bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { auditOf, issue, refusal, rotate, tried, type Key } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

const PATH = '/api/security-center/settings';
const DAY = 86_400_000;

onEachDatabase('the rules of a tenant for its keys', (database) => {
  // The change is asked of one process, and what it leads to is seen in another.
  const { server: here, ...cast } = useServer(database, { TRUSTED_HOPS: '1' });
  const there = useServerWithoutCast(database, { TRUSTED_HOPS: '1' });
  let owner: Headers;
  let count = 1;

  beforeEach(async () => {
    const tenant = await addTenant(here.services, `Ruled ${count++}`);
    owner = as(await addPlayer(here.services, tenant, 'Owner', { role: 'OWNER' }));
  });

  it('are all stated from the start', async () => {
    expect((await here.get(PATH, owner)).body).to.deep.equal({
      maxLifetimeDays: null,
      requireExpiry: false,
      defaultScopes: ['read'],
      allowedNetworks: [],
      maxGraceSeconds: 2_592_000,
      idleDays: null,
      keysMayManageKeys: false,
      allowBearerKeys: true,
      leakAction: 'revoke',
      enforceOnExisting: false,
      defaultRateLimit: null,
    });
  });

  it('change one by one, and are the same in every process', async () => {
    await rule({ idleDays: 30, leakAction: 'notify' });
    const after = await rule({ idleDays: null, allowedNetworks: ['10.1.2.3/8', '::ffff:10.0.0.0/104'] });
    expect(after).to.include({ idleDays: null, leakAction: 'notify' });
    expect(after).to.deep.include({ allowedNetworks: ['10.0.0.0/8'] });
    expect((await there.get(PATH, owner)).body).to.deep.equal(after);
  });

  it('hold both of two changes at once', async () => {
    const changes = [{ idleDays: 5 }, { requireExpiry: true }, { maxGraceSeconds: 9 }, { allowBearerKeys: false }];
    await Promise.all(
      changes.map(async (change, i) => answered(await (i % 2 ? here : there).post(PATH, change, owner))),
    );
    expect((await here.get(PATH, owner)).body).to.deep.include(Object.assign({}, ...changes) as object);
  });

  it('are written down, as they were and as they are; what changes nothing is not', async () => {
    await rule({ idleDays: 30, keysMayManageKeys: true });
    await rule({ idleDays: 30 });
    const rows = await auditOf(here, owner, owner['x-tenant-id'] as string);
    const told = rows.filter(({ action }) => action === 'SETTINGS_CHANGED');
    expect(told).to.have.length(1);
    expect(told[0]).to.deep.include({
      entity: 'settings',
      actorType: 'user',
      before: { idleDays: null, keysMayManageKeys: false },
      after: { idleDays: 30, keysMayManageKeys: true },
    });
  });

  it('are read and changed by keys of their scopes, by owners, and read by admins', async () => {
    const ask = async (headers: Headers) => [
      (await here.get('/api/v1/security-center/settings', headers)).status,
      (await here.post('/api/v1/security-center/settings', { idleDays: 90 }, headers)).status,
    ];
    const holding = async (scope: string) => withKey(await issue(here, as(cast.alice), { scopes: [scope] }));
    expect(await ask(await holding('admin:read'))).to.deep.equal([200, 403]);
    expect(await ask(await holding('admin:write'))).to.deep.equal([200, 200]);
    expect(await ask(await holding('read'))).to.deep.equal([403, 403]);
    expect(await ask(await holding('settings:*'))).to.deep.equal([403, 403]);
    expect(await ask(bearer(cast.alice))).to.deep.equal([200, 200]);
    expect(await ask(bearer(cast.carol))).to.deep.equal([200, 403]);
    expect(await ask(bearer(cast.bob))).to.deep.equal([403, 403]);
    const rows = await auditOf(here, as(cast.alice), cast.acme.id);
    expect(rows.find(({ action }) => action === 'SETTINGS_CHANGED')).to.include({ actorType: 'api_key' });
    expect((await here.get(PATH, as(cast.charlie))).body).to.include({ idleDays: null });
  });

  it('are not changed by a key so that it shuts itself out, while a person may', async () => {
    const key = withKey(await issue(here, owner, { scopes: ['admin:write'] }), '203.0.113.7');
    const path = '/api/v1/security-center/settings';
    const shut = await here.post(path, { allowedNetworks: ['10.0.0.0/8'] }, key);
    expect(refusal(shut, 422, 'invalid_input')).to.deep.equal(['allowedNetworks']);
    answered(await here.post(path, { allowedNetworks: ['10.0.0.0/8', '203.0.113.0/24'] }, key));
    answered(await here.post(path, { allowedNetworks: [] }, key));
    await rule({ allowedNetworks: ['10.0.0.0/8'] });
    refusal(await here.get(path, key), 403, 'address_not_allowed');
    await rule({ allowedNetworks: [] });
    expect((await here.get(path, key)).status).to.equal(200);
  });

  it('never take the key that has just changed them for idle', async () => {
    const key = await issue(here, owner, { scopes: ['admin:write'] });
    const old = Date.now() - 10 * DAY;
    await here.services.db('api_keys').where({ id: key.id }).update({ created_at: old });
    answered(await here.post('/api/v1/security-center/settings', { idleDays: 7 }, withKey(key)));
    expect(await tried(there, key.key)).to.equal('200');
  });

  describe('are enforced from the answer on, in the other process:', () => {
    it('maxLifetimeDays, on new keys, changed ones and rotated ones', async () => {
      const eternal = await issue(here, owner);
      await rule({ maxLifetimeDays: 30 });
      const wishes = [{}, { expiresInDays: 31 }, { expiresAt: afterDays(31) }, { expiresAt: null }];
      for (const wish of wishes) {
        expect(refusal(await create(wish), 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      }
      const { id } = await issue(there, owner, { expiresInDays: 30 });
      for (const expiresAt of [afterDays(31), null]) {
        const change = await there.patch(`/api/api-keys/${id}`, { expiresAt }, owner);
        expect(refusal(change, 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      }
      const turn = async (wish: object) => there.post(`/api/api-keys/${eternal.id}/rotate`, wish, owner);
      for (const wish of [{}, { expiresAt: afterDays(31) }]) {
        expect(refusal(await turn(wish), 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      }
      expect((await turn({ expiresAt: afterDays(29) })).status).to.equal(200);
      await rule({ maxLifetimeDays: null });
      expect((await create({})).status).to.equal(201);
    });

    it('requireExpiry, on new keys, changed ones and rotated ones', async () => {
      const eternal = await issue(here, owner);
      await rule({ requireExpiry: true });
      expect(refusal(await create({}), 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      const { id } = await issue(there, owner, { expiresInDays: 365 });
      refusal(await there.patch(`/api/api-keys/${id}`, { expiresAt: null }, owner), 422, 'invalid_input');
      refusal(await there.post(`/api/api-keys/${eternal.id}/rotate`, {}, owner), 422, 'invalid_input');
      await rule({ requireExpiry: false });
      expect((await create({})).status).to.equal(201);
    });

    it('defaultScopes, on keys that ask for none', async () => {
      await rule({ defaultScopes: ['write:projects', 'docs:read', 'projects:write'] });
      expect((await issue(there, owner)).scopes).to.deep.equal(['projects:write', 'docs:read']);
      expect((await issue(there, owner, { scopes: ['read'] })).scopes).to.deep.equal(['read']);
    });

    it('allowedNetworks, on every key wherever it comes from', async () => {
      const { key } = await issue(here, owner);
      const from = async (address: string) => (await there.get('/api/v1/whoami', withKey({ key }, address))).status;
      expect(await from('198.51.100.1')).to.equal(200);
      await rule({ allowedNetworks: ['203.0.113.0/24', '2001:db8::/32'] });
      const addresses = ['203.0.113.9', '::ffff:203.0.113.9', '2001:db8::5', '203.0.114.9', '2001:db9::5', '::1'];
      expect(await Promise.all(addresses.map(from))).to.deep.equal([200, 200, 200, 403, 403, 403]);
      refusal(await there.get('/api/v1/whoami', withKey({ key }, '198.51.100.1')), 403, 'address_not_allowed');
      await rule({ allowedNetworks: [] });
      expect(await from('198.51.100.1')).to.equal(200);
    });

    it('maxGraceSeconds, on rotations', async () => {
      const { id } = await issue(here, owner);
      await rule({ maxGraceSeconds: 60 });
      const long = await there.post(`/api/api-keys/${id}/rotate`, { gracePeriodSeconds: 61 }, owner);
      expect(refusal(long, 422, 'invalid_input')).to.deep.equal(['gracePeriodSeconds']);
      await rotate(there, owner, id, { gracePeriodSeconds: 60 });
    });

    it('idleDays, on keys that were not used for as long', async () => {
      const { db } = here.services;
      const [idle, fresh, busy] = [await issue(here, owner), await issue(here, owner), await issue(here, owner)];
      const old = Date.now() - 10 * DAY;
      await db('api_keys').whereIn('id', [idle.id, busy.id]).update({ created_at: old });
      await db('api_keys')
        .where({ id: busy.id })
        .update({ last_used_at: Date.now() - 6 * DAY });
      await rule({ idleDays: 7 });
      expect(await tried(there, idle.key)).to.equal('401 key_expired');
      expect([await tried(there, fresh.key), await tried(there, busy.key)]).to.deep.equal(['200', '200']);
      await rule({ idleDays: null });
      expect(await tried(there, idle.key)).to.equal('200');
    });

    it('keysMayManageKeys, on keys that hold the scope for it', async () => {
      const key = withKey(await issue(here, owner, { scopes: ['api-keys:write', 'read'] }));
      const make = async () => there.post('/api/v1/api-keys', { name: 'by a key' }, key);
      refusal(await make(), 403, 'insufficient_permission');
      await rule({ keysMayManageKeys: true });
      expect((await make()).status).to.equal(201);
      await rule({ keysMayManageKeys: false });
      refusal(await make(), 403, 'insufficient_permission');
    });

    it('allowBearerKeys, on keys in a Bearer header alone', async () => {
      const { key } = await issue(here, owner);
      await rule({ allowBearerKeys: false });
      refusal(await there.get('/api/v1/whoami', bearer({ token: key })), 401, 'invalid_key');
      expect(await tried(there, key)).to.equal('200');
      expect((await there.get('/api/v1/whoami', { Authorization: `ApiKey ${key}` })).status).to.equal(200);
      await rule({ allowBearerKeys: true });
      expect((await there.get('/api/v1/whoami', bearer({ token: key }))).status).to.equal(200);
    });

    it('defaultRateLimit, on keys without a limit of their own', async () => {
      const [plain, own] = [
        await issue(here, owner),
        await issue(here, owner, { rateLimit: { limit: 50, windowSeconds: 60 } }),
      ];
      await rule({ defaultRateLimit: { limit: 2, windowSeconds: 3600 } });
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push(await tried(there, plain.key));
      expect(statuses).to.deep.equal(['200', '200', '429 rate_limited']);
      for (let i = 0; i < 3; i++) expect(await tried(there, own.key)).to.equal('200');
      await rule({ defaultRateLimit: null });
      expect(await tried(there, plain.key)).to.equal('200');
    });
  });

  /** Changes the rules in this process. */
  async function rule(change: object): Promise<object> {
    return answered(await here.post(PATH, change, owner));
  }

  async function create(wish: object): Promise<Answer> {
    return there.post('/api/api-keys', { name: 'new', ...wish }, owner);
  }
});

function withKey({ key }: Pick<Key, 'key'>, address = '192.0.2.1'): Headers {
  return { 'x-api-key': key, 'x-forwarded-for': address };
}

function afterDays(days: number): string {
  return new Date(Date.now() + days * DAY).toISOString();
}

function answered({ status, body, text }: Answer): object {
  expect(status, text).to.equal(200);
  return body as object;
}
