import { expect } from 'chai';
import { breaksLifetimeRules, changePolicy, DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { KEY_COLUMNS, keyFromRow, type KeyRow } from '../../db/tables/keys/apiKeyFields.ts';
import { whyEnded } from '../../app/domain/keyStatus.ts';
import { matching } from '../../db/tables/keys/apiKeyFilter.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, detailOf, issue, read, refusal, rotate, tried } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const PATH = '/api/security-center/settings';
const DAY = 86_400_000;

onEachDatabase('the policy enforced on existing keys', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);
  const rule = async (change: object) => {
    const answer = await server.post(PATH, change, alice());
    expect(answer.status, answer.text).to.equal(200);
  };
  afterEach(async () => rule({ maxLifetimeDays: null, requireExpiry: false, enforceOnExisting: false }));

  it('refuses a key that breaks it with 403, on routes and where other backends ask, and revokes nothing', async () => {
    const endless = await issue(server, alice());
    const long = await issue(server, alice(), { expiresInDays: 300 });
    const short = await issue(server, alice(), { expiresInDays: 20 });
    const caller = { 'x-api-key': (await issue(server, alice(), { scopes: ['keys:verify'], expiresInDays: 20 })).key };
    const all = async () => Promise.all([endless, long, short].map(async ({ key }) => tried(server, key)));

    await rule({ maxLifetimeDays: 90 });
    expect(await all()).to.deep.equal(['200', '200', '200']);
    await rule({ enforceOnExisting: true });
    expect(await all()).to.deep.equal(['403 policy_violation', '403 policy_violation', '200']);
    const verdict = (await server.post('/api/v1/keys/verify', { key: long.key }, caller)).body;
    expect(verdict).to.include({ valid: false, code: 'policy_violation', keyId: long.id });
    await rule({ maxLifetimeDays: null, requireExpiry: true });
    expect(await all()).to.deep.equal(['403 policy_violation', '200', '200']);

    expect(await read(server, alice(), endless.id)).to.include({ revokedAt: null });
    await server.patch(`/api/api-keys/${endless.id}`, { expiresAt: new Date(Date.now() + DAY).toISOString() }, alice());
    expect(await all()).to.deep.equal(['200', '200', '200']);
    expect((await auditOf(server, alice(), long.id)).map(({ action }) => action)).to.deep.equal(['API_KEY_CREATED']);
  });

  it('takes the end of its grace for the end of a key that was rotated', async () => {
    const old = await issue(server, alice());
    const expiresAt = new Date(Date.now() + DAY).toISOString();
    await rotate(server, alice(), old.id, { gracePeriodSeconds: 600, expiresAt });
    await rule({ maxLifetimeDays: 30, enforceOnExisting: true });
    expect(await tried(server, old.key)).to.equal('200');
    await server.services
      .db('api_keys')
      .where({ id: old.id })
      .update({ created_at: Date.now() - 31 * DAY });
    expect(await tried(server, old.key)).to.equal('403 policy_violation');
  });

  it('is not switched on by a key that it would refuse', async () => {
    const wish = { scopes: ['admin:write'] };
    const endless = { 'x-api-key': (await issue(server, alice(), wish)).key, 'x-tenant-id': cast.acme.id };
    const answer = await server.post(PATH, { requireExpiry: true, enforceOnExisting: true }, endless);
    expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['enforceOnExisting']);
    expect(detailOf(await server.get(PATH, endless))).to.equal(undefined);
  });

  it('finds in SQL the very keys that the rules refuse', async () => {
    const { db } = server.services;
    const now = Date.now();
    const { id: tenantId } = cast.globex;
    const ends = [null, now - DAY, now + DAY, now + 100 * DAY];
    const lives = ends.flatMap((expires_at) =>
      [null, now - 1, now + 1_000].flatMap((grace_ends_at) =>
        [null, now - 1].flatMap((revoked_at) =>
          [now - 50 * DAY, now].map((created_at) => ({ expires_at, grace_ends_at, revoked_at, created_at })),
        ),
      ),
    );
    await db('api_keys').insert(
      lives.map((life, number) => ({
        ...life,
        id: `01890000-0000-7000-8000-${String(number).padStart(12, '0')}`,
        tenant_id: tenantId,
        key_hash: Buffer.alloc(32, number),
        key_prefix: 'p',
        last_four: 'last',
        name: 'n',
        environment: 'live',
        scopes: '[]',
        metadata: '{}',
        updated_at: now,
        successor_key_id: life.grace_ends_at === null ? null : 'next',
      })),
    );
    const keys = (await db<KeyRow>('api_keys').where({ tenant_id: tenantId }).select(KEY_COLUMNS)).map(keyFromRow);
    for (const change of [{}, { requireExpiry: true }, { maxLifetimeDays: 30 }, { maxLifetimeDays: 120 }]) {
      const rules = changePolicy(DEFAULT_POLICY, change);
      const found = await matching(db, tenantId, { attention: 'breaking', rules, now }).pluck<string[]>('id');
      const expected = keys.filter((key) => !whyEnded(key, now) && breaksLifetimeRules(rules, key));
      expect(found, JSON.stringify(change)).to.have.members(expected.map(({ id }) => id));
      if (Object.keys(change).length > 0) expect(found.length).to.be.greaterThan(0);
    }
  });
});
