import { expect } from 'chai';
import { changePolicy, DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { changeTenant } from '../../db/tables/tenants.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, issue, read, refusal, rotate, tried } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('rotating a key', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  it('makes a new key with a new id and all that the old one had', async () => {
    const wish = {
      name: 'carried',
      description: 'over',
      environment: 'test',
      owner: 'user',
      scopes: ['projects:write', 'read'],
      expiresAt: '2099-01-01T00:00:00.000Z',
      allowedIps: ['127.0.0.0/8', '::1'],
      rateLimit: { limit: 100, windowSeconds: 60 },
      monthlyQuota: 7,
      externalId: 'ext',
      metadata: { a: 1 },
    };
    const old = await issue(server, alice(), wish);
    await server.get('/api/v1/whoami', { 'x-api-key': old.key });
    const { key, ...fresh } = await rotate(server, alice(), old.id);
    expect(fresh).to.deep.include({
      ...wish,
      previousKeyId: old.id,
      status: 'active',
      lastUsedAt: null,
      graceEndsAt: null,
    });
    expect(fresh.id).not.to.equal(old.id);
    expect(key.slice(0, 9)).to.equal('fsk_test_');
    expect(key).not.to.equal(old.key);
    expect(await read(server, alice(), fresh.id)).to.deep.equal(fresh);
    const found = await server.get('/api/api-keys?limit=100&scope=projects:write', alice());
    expect((found.body as { data: { id: string }[] }).data.map(({ id }) => id)).to.include(fresh.id);
  });

  it('ends the old key at once unless an overlap is asked for', async () => {
    const old = await issue(server, alice());
    const fresh = await rotate(server, alice(), old.id);
    expect(await tried(server, old.key)).to.equal('401 key_revoked');
    expect(await tried(server, fresh.key)).to.equal('200');
    expect(await read(server, alice(), old.id)).to.deep.include({
      status: 'revoked',
      successorKeyId: fresh.id,
      graceEndsAt: fresh.createdAt,
      revokedAt: fresh.createdAt,
    });
  });

  it('works without a body', async () => {
    const old = await issue(server, alice());
    expect((await server.send('POST', `/api/api-keys/${old.id}/rotate`, { headers: alice() })).status).to.equal(200);
  });

  it('lets both keys work until the overlap ends', async () => {
    const old = await issue(server, alice());
    const fresh = await rotate(server, alice(), old.id, { gracePeriodSeconds: 600 });
    expect([await tried(server, old.key), await tried(server, fresh.key)]).to.deep.equal(['200', '200']);
    const shown = await read(server, alice(), old.id);
    expect(shown).to.deep.include({ status: 'rotating', successorKeyId: fresh.id, revokedAt: null });
    expect(Date.parse(shown.graceEndsAt ?? '')).to.equal(Date.parse(fresh.createdAt) + 600_000);
    await server.services
      .db('api_keys')
      .where({ id: old.id })
      .update({ grace_ends_at: Date.now() - 1 });
    expect([await tried(server, old.key), await tried(server, fresh.key)]).to.deep.equal(['401 key_revoked', '200']);
  });

  it('never lets the old key outlive its own expiry', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const old = await issue(server, alice(), { expiresAt });
    const fresh = await rotate(server, alice(), old.id, { gracePeriodSeconds: 600, expiresAt: '2099-01-01T00:00:00Z' });
    expect((await read(server, alice(), old.id)).graceEndsAt).to.equal(expiresAt);
    expect(fresh.expiresAt).to.equal('2099-01-01T00:00:00.000Z');
  });

  it('removes the expiry where expiresAt is null', async () => {
    const old = await issue(server, alice(), { expiresInDays: 3 });
    expect((await rotate(server, alice(), old.id, { expiresAt: null })).expiresAt).to.equal(null);
  });

  it('succeeds once for each key, and then for its successor', async () => {
    const first = await issue(server, alice());
    const second = await rotate(server, alice(), first.id, { gracePeriodSeconds: 600 });
    refusal(await server.post(`/api/api-keys/${first.id}/rotate`, {}, alice()), 409, 'already_rotated');
    const third = await rotate(server, alice(), second.id);
    refusal(await server.post(`/api/api-keys/${second.id}/rotate`, {}, alice()), 409, 'already_rotated');
    expect(third.previousKeyId).to.equal(second.id);
    expect(await tried(server, first.key)).to.equal('200');
  });

  it('is refused to a key that is revoked or expired', async () => {
    const revoked = await issue(server, alice());
    await server.delete(`/api/api-keys/${revoked.id}`, alice());
    const expired = await issue(server, alice(), { expiresInDays: 1 });
    await server.services
      .db('api_keys')
      .where({ id: expired.id })
      .update({ expires_at: Date.now() - 1 });
    for (const { id } of [revoked, expired]) {
      refusal(await server.post(`/api/api-keys/${id}/rotate`, {}, alice()), 409, 'key_not_active');
      expect((await read(server, alice(), id)).successorKeyId).to.equal(null);
    }
  });

  it('keeps to the policy as it is now, for the overlap and for the new life', async () => {
    const old = await issue(server, alice(), { expiresAt: '2099-01-01T00:00:00Z' });
    const policy = changePolicy(DEFAULT_POLICY, { maxGraceSeconds: 60, maxLifetimeDays: 30 });
    await changeTenant(server.services.db, cast.acme.id, { policy }, Date.now());
    try {
      const soon = new Date(Date.now() + 86_400_000).toISOString();
      const path = `/api/api-keys/${old.id}/rotate`;
      const overlap = await server.post(path, { gracePeriodSeconds: 61, expiresAt: soon }, alice());
      expect(refusal(overlap, 422, 'invalid_input')).to.deep.equal(['gracePeriodSeconds']);
      expect(refusal(await server.post(path, {}, alice()), 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      await rotate(server, alice(), old.id, { gracePeriodSeconds: 60, expiresAt: soon });
    } finally {
      await changeTenant(server.services.db, cast.acme.id, { policy: DEFAULT_POLICY }, Date.now());
    }
  });

  it('is written into the log once, about the old key', async () => {
    const old = await issue(server, alice());
    const fresh = await rotate(server, alice(), old.id);
    expect(await auditOf(server, alice(), fresh.id)).to.deep.equal([]);
    const [, row, ...others] = await auditOf(server, alice(), old.id);
    expect(others).to.deep.equal([]);
    expect(row).to.deep.include({ action: 'API_KEY_ROTATED', entity: 'api_key', actorId: cast.alice.id });
    expect(row?.after).to.deep.equal({ successorKeyId: fresh.id, graceEndsAt: fresh.createdAt });
    expect(JSON.stringify(row)).not.to.include(fresh.keyPrefix);
  });
});
