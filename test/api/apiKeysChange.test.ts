import { expect } from 'chai';
import { changePolicy, DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { changeTenant } from '../../db/tables/tenants.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { auditOf, issue, keyOf, read, refusal, rotate, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const DAY_MS = 86_400_000;

onEachDatabase('changing a key', (database) => {
  const { server, ...cast } = useServer(database);
  let key: Key;
  const alice = () => as(cast.alice);

  beforeEach(async () => {
    key = await issue(server, alice(), { name: 'before', scopes: ['read'] });
  });

  it('changes what is named and leaves the rest', async () => {
    const change = {
      name: 'after',
      description: 'why',
      scopes: ['write:projects', 'read'],
      expiresAt: '2099-01-01T00:00:00Z',
      allowedIps: ['192.0.2.0/24'],
      rateLimit: { limit: 1, windowSeconds: 1 },
      monthlyQuota: 5,
      externalId: 'ext',
      metadata: { a: 1 },
    };
    const before = await read(server, alice(), key.id);
    const changed = keyOf(await patch(change), 200);
    const expected = {
      ...before,
      ...change,
      scopes: ['projects:write', 'read'],
      expiresAt: '2099-01-01T00:00:00.000Z',
      updatedAt: changed.updatedAt,
    };
    expect(changed).to.deep.equal(expected);
    expect(await read(server, alice(), key.id)).to.deep.equal(expected);
    expect(Date.parse(changed.updatedAt)).to.be.at.least(Date.parse(key.updatedAt));
  });

  it('takes optional fields away with null', async () => {
    await patch({ description: 'x', expiresAt: '2099-01-01T00:00:00Z', allowedIps: ['::1'], externalId: 'x' });
    await patch({ monthlyQuota: 5, rateLimit: { limit: 1, windowSeconds: 1 }, metadata: { a: 1 } });
    const none = { description: null, expiresAt: null, rateLimit: null, monthlyQuota: null, externalId: null };
    const changed = keyOf(await patch({ ...none, allowedIps: null, metadata: {} }), 200);
    expect(changed).to.deep.include({ ...none, allowedIps: [], metadata: {} });
  });

  it('takes effect from the next request on', async () => {
    expect((await tryAuditLog()).status).to.equal(200);
    await patch({ scopes: ['projects:read'] });
    expect((await tryAuditLog()).status).to.equal(403);
    await patch({ scopes: ['read'], allowedIps: ['192.0.2.1'] });
    refusal(await tryAuditLog(), 403, 'address_not_allowed');
    await patch({ allowedIps: [] });
    expect((await tryAuditLog()).status).to.equal(200);
  });

  it('finds the key by its new scopes and no longer by the old ones', async () => {
    await patch({ scopes: ['webhooks:delete'] });
    const found = async (scope: string) => {
      const { body } = await server.get(`/api/api-keys?limit=100&scope=${scope}`, alice());
      return (body as { data: Key[] }).data.some(({ id }) => id === key.id);
    };
    expect([await found('webhooks:delete'), await found('read')]).to.deep.equal([true, false]);
  });

  it('is audited as one action for scopes and another for everything else', async () => {
    await patch({ name: 'after' });
    await patch({ scopes: ['read', 'orders:read'] });
    await patch({ name: 'last', scopes: ['read'], metadata: { secretNote: 'x', plain: 1 } });
    const rows = (await auditOf(server, alice(), key.id)).slice(1);
    expect(rows.map(({ action, before, after }) => ({ action, before, after }))).to.have.deep.members([
      { action: 'API_KEY_UPDATED', before: { name: 'before' }, after: { name: 'after' } },
      { action: 'API_KEY_SCOPES_UPDATED', before: { scopes: ['read'] }, after: { scopes: ['read', 'orders:read'] } },
      { action: 'API_KEY_SCOPES_UPDATED', before: { scopes: ['read', 'orders:read'] }, after: { scopes: ['read'] } },
      {
        action: 'API_KEY_UPDATED',
        before: { name: 'after', metadata: {} },
        after: { name: 'last', metadata: { secretNote: '[hidden]', plain: 1 } },
      },
    ]);
  });

  it('writes nothing where nothing changes', async () => {
    await patch({ scopes: ['read', 'orders:read'], allowedIps: ['192.0.2.0/24'] });
    const before = await read(server, alice(), key.id);
    const rows = (await auditOf(server, alice(), key.id)).length;
    for (const same of [
      {},
      { name: 'before' },
      { scopes: ['orders:read', 'read'] },
      { allowedIps: ['192.0.2.9/24'] },
    ]) {
      expect(keyOf(await patch(same), 200)).to.deep.equal(before);
    }
    expect(await auditOf(server, alice(), key.id)).to.have.length(rows);
  });

  it('keeps to the policy, counting a life from its beginning', async () => {
    const createdAt = Date.parse(key.createdAt);
    await setPolicy({ maxLifetimeDays: 10 });
    try {
      const late = await patch({ expiresAt: new Date(createdAt + 10 * DAY_MS + 1).toISOString() });
      expect(refusal(late, 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      keyOf(await patch({ expiresAt: new Date(createdAt + 10 * DAY_MS).toISOString() }), 200);
      expect(refusal(await patch({ expiresAt: null }), 422, 'invalid_input')).to.deep.equal(['expiresAt']);
      // What was allowed once does not keep anybody from correcting a name.
      keyOf(await patch({ name: 'still' }), 200);
    } finally {
      await setPolicy({});
    }
  });

  it('cannot make a revoked or expired key work again', async () => {
    const change = { expiresAt: '2099-01-01T00:00:00Z' };
    await server.services
      .db('api_keys')
      .where({ id: key.id })
      .update({ expires_at: Date.now() - 1 });
    refusal(await patch(change), 409, 'key_not_active');
    const revoked = await issue(server, alice());
    await server.delete(`/api/api-keys/${revoked.id}`, alice());
    refusal(await server.patch(`/api/api-keys/${revoked.id}`, change, alice()), 409, 'key_not_active');
    const replaced = await issue(server, alice());
    await rotate(server, alice(), replaced.id);
    refusal(await server.patch(`/api/api-keys/${replaced.id}`, change, alice()), 409, 'key_not_active');
  });

  it('changes a key in its overlap, which never outlives it', async () => {
    await rotate(server, alice(), key.id, { gracePeriodSeconds: 600 });
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    expect(keyOf(await patch({ expiresAt }), 200)).to.deep.include({
      status: 'rotating',
      expiresAt,
      graceEndsAt: expiresAt,
    });
  });

  async function patch(change: object): Promise<Answer> {
    return server.patch(`/api/api-keys/${key.id}`, change, alice());
  }

  async function tryAuditLog(): Promise<Answer> {
    return server.get('/api/v1/audit-logs?limit=1', { 'x-api-key': key.key });
  }

  async function setPolicy(change: object): Promise<void> {
    const policy = changePolicy(DEFAULT_POLICY, change);
    await changeTenant(server.services.db, cast.acme.id, { policy }, Date.now());
  }
});
