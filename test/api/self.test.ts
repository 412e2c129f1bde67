import { expect } from 'chai';
import { addPlayer, as, bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, detailOf, issue, read, refusal, rotate, tried, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('/self', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;
  before(async () => {
    alice = as(cast.alice);
  });

  const withKey = ({ key }: Key): Headers => ({ 'x-api-key': key, 'x-tenant-id': cast.acme.id });
  const selfOf = async (key: Key, mount = '/api/v1') => server.get(`${mount}/self`, withKey(key));

  it('shows a key with self:read what it is and its description, on both mounts', async () => {
    const key = await issue(server, alice, { name: 'CI', description: 'Builds', scopes: ['read:self'] });
    for (const mount of ['/api', '/api/v1']) {
      const { status, body } = await selfOf(key, mount);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({
        type: 'api_key',
        id: key.id,
        name: 'CI',
        description: 'Builds',
        tenant: { id: cast.acme.id, slug: 'acme' },
        role: 'MEMBER',
        scopes: ['self:read'],
      });
    }
  });

  it('lets a key without any scope for it end itself, on both mounts, and nothing else', async () => {
    for (const mount of ['/api', '/api/v1']) {
      const key = await issue(server, alice, { scopes: ['projects:read'] });
      const answer = await server.post(`${mount}/self/revoke`, { reason: 'found in a log' }, withKey(key));
      expect(answer.status, answer.text).to.equal(200);
      const { revokedAt } = answer.body as { revokedAt: string };
      expect(answer.body).to.deep.equal({ id: key.id, revokedAt, message: 'API key has been revoked' });
      expect(await tried(server, key.key)).to.equal('401 key_revoked');
      const [, row] = await auditOf(server, alice, key.id);
      expect(row).to.deep.include({
        action: 'API_KEY_REVOKED',
        actorId: key.id,
        after: { revokedAt, reason: 'found in a log' },
      });
    }
  });

  it('lets a rotated key in its grace end itself and not its successor', async () => {
    const old = await issue(server, alice);
    const fresh = await rotate(server, alice, old.id, { gracePeriodSeconds: 600 });
    expect((await server.post('/api/v1/self/revoke', {}, withKey(old))).body).to.include({ id: old.id });
    expect([await tried(server, old.key), await tried(server, fresh.key)]).to.deep.equal(['401 key_revoked', '200']);
  });

  it('revokes no person', async () => {
    refusal(await server.post('/api/v1/self/revoke', {}, bearer(cast.bob)), 403, 'insufficient_permission');
  });

  it('shows a person who they are', async () => {
    const { status, body } = await server.get('/api/v1/self', bearer(cast.bob));
    expect(status).to.equal(200);
    expect(body).to.include({ type: 'user', id: cast.bob.id, name: 'Bob' });
  });

  it('is closed to a key without the scope, for reading and for writing', async () => {
    const reader = await issue(server, alice, { scopes: ['self:read'] });
    const other = await issue(server, alice, { scopes: ['projects:read'] });
    expect(detailOf(await selfOf(other))).to.equal('Missing required scope: self:read');
    const answer = await server.patch('/api/v1/self', { name: 'New' }, withKey(reader));
    refusal(answer, 403, 'insufficient_scope');
    expect(detailOf(answer)).to.equal('Missing required scope: self:write');
    expect((await read(server, alice, reader.id)).name).to.equal('a key');
  });

  it('lets a key with self:write rename itself and change its description, and audits it as a change of the key', async () => {
    for (const mount of ['/api', '/api/v1']) {
      const key = await issue(server, alice, { name: 'Old', description: 'Before', scopes: ['write:self'] });
      const answer = await server.patch(`${mount}/self`, { name: 'New', description: 'After' }, withKey(key));
      expect(answer.status, answer.text).to.equal(200);
      expect(answer.body).to.include({ id: key.id, name: 'New', description: 'After' });
      expect((await selfOf(key)).body).to.deep.equal(answer.body);
      const cleared = await server.patch(`${mount}/self`, { description: '' }, withKey(key));
      expect(cleared.body).to.include({ name: 'New', description: null });
      expect(await read(server, alice, key.id)).to.deep.include({ name: 'New', scopes: ['self:write'] });
      const changes = (await auditOf(server, alice, key.id)).slice(1);
      expect(changes.map(({ action, actorId, before, after }) => [action, actorId, before, after])).to.deep.equal([
        ['API_KEY_UPDATED', key.id, { name: 'Old', description: 'Before' }, { name: 'New', description: 'After' }],
        ['API_KEY_UPDATED', key.id, { description: 'After' }, { description: null }],
      ]);
    }
  });

  it('lets the key of a member rename itself, though its person may not manage keys', async () => {
    const part = { role: 'MEMBER', permissions: ['api-keys:manage', 'api-keys:read'] } as const;
    const mia = await addPlayer(server.services, cast.acme, 'Mia', part);
    const key = await issue(server, as(mia), { owner: 'user', scopes: ['self:write'] });
    const answer = await server.patch('/api/v1/self', { name: 'Laptop' }, withKey(key));
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body).to.deep.include({ name: 'Laptop', user: { id: mia.id, name: 'Mia', email: mia.email } });
  });

  it('never lets a key change what it may do, or anything else of itself', async () => {
    const key = await issue(server, alice, { scopes: ['self:write'] });
    const before = await read(server, alice, key.id);
    const wishes = [
      { scopes: ['*'] },
      { expiresAt: null },
      { allowedIps: null },
      { rateLimit: null },
      { monthlyQuota: null },
      { metadata: {} },
      { externalId: 'x' },
      { tenantId: cast.globex.id },
    ];
    for (const wish of wishes) {
      const answer = await server.patch('/api/v1/self', { name: 'Grown', ...wish }, withKey(key));
      expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(Object.keys(wish));
    }
    const after = await read(server, alice, key.id);
    expect({ ...after, lastUsedAt: null, lastUsedIp: null }).to.deep.equal(before);
  });

  it('lets a person rename themselves, whatever their role, and refuses them a description', async () => {
    const { bob } = cast;
    const answer = await server.patch('/api/v1/self', { name: 'Robert' }, bearer(bob));
    expect(answer.status).to.equal(200);
    expect(answer.body).to.include({ type: 'user', id: bob.id, name: 'Robert' });
    expect((await server.get('/api/v1/self', bearer(bob))).body).to.include({ name: 'Robert' });
    const refused = await server.patch('/api/v1/self', { description: 'x' }, bearer(bob));
    expect(refused.status).to.equal(422);
    expect((await server.patch('/api/v1/self', { name: 'Bob' }, bearer(bob))).status).to.equal(200);
  });
});
