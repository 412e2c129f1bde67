import { expect } from 'chai';
import { hashKey, parseKey } from '../../app/domain/token.ts';
import { changeTenant } from '../../db/tables/tenants.ts';
import { changePolicy, DEFAULT_POLICY, type PolicyChange } from '../../app/domain/policy.ts';
import { as, bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, issue, keyOf, read, refusal, tried } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const DAY_MS = 86_400_000;

onEachDatabase('creating a key', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  afterEach(async () => setPolicy({}, true));

  it('needs only a name, and makes a live service token with the scope read', async () => {
    const before = Date.now();
    const created = await server.post('/api/api-keys', { name: '  deploy ' }, alice());
    const { key, ...shown } = keyOf(created, 201);
    const { id, keyPrefix, lastFour, createdAt, updatedAt, ...rest } = shown;
    expect(parseKey(key, 'fsk')).to.deep.equal({ keyPrefix, lastFour, environment: 'live' });
    expect(updatedAt).to.equal(createdAt);
    expect(Date.parse(createdAt)).to.be.within(before, Date.now());
    expect(rest).to.deep.equal({
      name: 'deploy',
      description: null,
      owner: 'tenant',
      environment: 'live',
      scopes: ['read'],
      status: 'active',
      expiresAt: null,
      lastUsedAt: null,
      lastUsedIp: null,
      allowedIps: [],
      rateLimit: null,
      monthlyQuota: null,
      externalId: null,
      metadata: {},
      previousKeyId: null,
      successorKeyId: null,
      graceEndsAt: null,
      createdBy: cast.alice.id,
      revokedAt: null,
    });
    expect(await read(server, alice(), id)).to.deep.equal(shown);
  });

  it('keeps every field that was given, in its normal spelling', async () => {
    const wish = {
      name: 'everything',
      description: 'a line\r\nand another',
      environment: 'test',
      owner: 'user',
      scopes: ['write:projects', 'projects:write', 'read:users'],
      expiresInDays: 30,
      allowedIps: ['10.1.2.3/8', '::ffff:192.0.2.7', '10.0.0.0/8'],
      rateLimit: { limit: 10, windowSeconds: 60 },
      monthlyQuota: 1_000,
      externalId: 'cus_42 é',
      metadata: { team: 'billing', size: 4, beta: true, note: null, constructor: 'Ann' },
    };
    const created = await issue(server, alice(), wish);
    expect(await read(server, alice(), created.id)).to.deep.include({
      description: 'a line\nand another',
      environment: 'test',
      owner: 'user',
      scopes: ['projects:write', 'users:read'],
      expiresAt: new Date(Date.parse(created.createdAt) + 30 * DAY_MS).toISOString(),
      allowedIps: ['10.0.0.0/8', '192.0.2.7'],
      rateLimit: wish.rateLimit,
      monthlyQuota: 1_000,
      externalId: 'cus_42 é',
      metadata: wish.metadata,
    });
    expect(created.key).to.match(/^fsk_test_/);
  });

  it('takes an expiry as a date in any zone', async () => {
    const { id } = await issue(server, alice(), { expiresAt: '2099-01-01T01:30:00+01:30' });
    expect((await read(server, alice(), id)).expiresAt).to.equal('2099-01-01T00:00:00.000Z');
  });

  it('takes expires_in_days for expiresInDays, and refuses both at once', async () => {
    const days = async (wish: object) => {
      const { createdAt, expiresAt } = await issue(server, alice(), wish);
      return (Date.parse(expiresAt ?? '') - Date.parse(createdAt)) / 86_400_000;
    };
    expect(await days({ expires_in_days: 30 })).to.equal(30);
    expect(await days({ expiresInDays: 30 })).to.equal(30);
    const bad = [
      { expires_in_days: 30, expiresInDays: 30 },
      { expires_in_days: 30, expiresInDays: null },
      { expires_in_days: 30, expiresAt: '2099-01-01T00:00:00Z' },
      { expires_in_days: 0 },
      { expires_in_days: '30' },
    ];
    for (const wish of bad) {
      const answer = await server.post('/api/api-keys', { name: 'both', ...wish }, alice());
      expect(refusal(answer, 422, 'invalid_input'), answer.text).to.deep.equal(['expires_in_days']);
    }
  });

  it('takes an empty description for none, when it is made and when it is changed', async () => {
    for (const description of ['', '  \n']) {
      const made = await issue(server, alice(), { description });
      expect(made).to.include({ description: null });
      await server.patch(`/api/api-keys/${made.id}`, { description: 'Something' }, alice());
      const cleared = await server.patch(`/api/api-keys/${made.id}`, { description }, alice());
      expect(cleared.body).to.include({ description: null });
    }
  });

  it('answers the same way below /api/v1', async () => {
    const key = keyOf(await server.post('/api/v1/api-keys', { name: 'v1' }, bearer(cast.alice)), 201);
    expect(await tried(server, key.key)).to.equal('200');
  });

  it('stores nothing of the text but its hash', async () => {
    const { id, key } = await issue(server, alice());
    const row = (await server.services.db('api_keys').where({ id }).first()) as Record<string, unknown>;
    expect(row['key_hash']).to.deep.equal(hashKey(key));
    expect(JSON.stringify(row)).not.to.include(key.slice(-20));
  });

  it('is written into the log once, without anything the key is known by', async () => {
    const created = await issue(server, alice(), { name: 'logged', scopes: ['projects:read'] });
    const rows = await auditOf(server, alice(), created.id);
    expect(rows).to.have.length(1);
    expect(rows[0]).to.deep.include({
      action: 'API_KEY_CREATED',
      entity: 'api_key',
      entityId: created.id,
      actorType: 'user',
      actorId: cast.alice.id,
      actorName: 'Alice',
      before: null,
    });
    expect(rows[0]?.after).to.deep.include({ name: 'logged', scopes: ['projects:read'], owner: 'tenant' });
    expect(JSON.stringify(rows)).not.to.include(created.keyPrefix);
  });

  it('leaves neither a key nor a trace where it is refused', async () => {
    const count = async () => Number((await server.services.db('api_keys').count({ n: '*' }).first())?.['n']);
    const before = await count();
    refusal(
      await server.post('/api/api-keys', { name: 'x', expiresAt: '2001-01-01T00:00:00Z' }, alice()),
      422,
      'invalid_input',
    );
    expect(await count()).to.equal(before);
  });

  describe('under a policy', () => {
    it('takes the scopes that the tenant gives by default', async () => {
      await setPolicy({ defaultScopes: ['projects:read', 'orders:read'] });
      expect((await issue(server, alice())).scopes).to.deep.equal(['projects:read', 'orders:read']);
    });

    it('refuses a key without an end where one is required', async () => {
      await setPolicy({ requireExpiry: true });
      const answer = await server.post('/api/api-keys', { name: 'endless' }, alice());
      expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      await issue(server, alice(), { expiresInDays: 365 });
    });

    it('refuses a life that is too long, to the day', async () => {
      await setPolicy({ maxLifetimeDays: 30 });
      await issue(server, alice(), { expiresInDays: 30 });
      const answer = await server.post('/api/api-keys', { name: 'long', expiresInDays: 31 }, alice());
      expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      expect(answer.text).to.include('at most 30 days');
    });
  });

  async function setPolicy(change: PolicyChange, reset = false): Promise<void> {
    const policy = changePolicy(DEFAULT_POLICY, reset ? {} : change);
    await changeTenant(server.services.db, cast.acme.id, { policy }, Date.now());
  }
});
