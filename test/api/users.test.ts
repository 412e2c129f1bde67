import { expect } from 'chai';
import { systemContext } from '../../app/actions/actionContext.ts';
import { updateTenant } from '../../app/actions/tenants/updateTenant.ts';
import { addPlayer, as, PASSWORD, type Part, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, issue, refusal } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('an account', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;
  let count = 1;

  before(async () => {
    alice = as(cast.alice);
  });

  it('is shown to those who may see users, as its tenant knows it', async () => {
    const { data } = (await server.get('/api/users', alice)).body as { data: { name: string }[] };
    expect(data.map(({ name }) => name))
      .to.include.members(['Alice', 'Bob', 'Carol'])
      .and.not.include('Charlie');
    const shown = (await server.get(`/api/users/${cast.bob.id}`, alice)).body;
    expect(shown).to.deep.include({ id: cast.bob.id, email: cast.bob.email, role: 'MEMBER', status: 'active' });
    expect(shown).to.have.all.keys('id', 'email', 'name', 'status', 'role', 'joinedAt');
    refusal(await server.get('/api/users', as(cast.bob)), 403, 'insufficient_scope');
    refusal(await server.get(`/api/users/${cast.bob.id}`, as(cast.charlie)), 404, 'not_found');
  });

  it('is renamed and disabled by an operator, and opens nothing until it is enabled again', async () => {
    const olga = as(await player({ role: 'MEMBER', operator: true }));
    const dan = await player({ role: 'MEMBER' });
    const path = `/api/users/${dan.id}`;
    refusal(await server.patch(path, { name: 'D' }, olga), 403, 'insufficient_permission');
    const operator = as(await player({ role: 'OWNER', operator: true }));
    expect((await server.patch(path, { name: 'Daniel', status: 'disabled' }, operator)).body).to.deep.include({
      name: 'Daniel',
      status: 'disabled',
    });
    refusal(await server.get('/api/projects', as(dan)), 401, 'invalid_token');
    const login = async () => server.post('/api/auth/login', { email: dan.email, password: PASSWORD });
    expect((await login()).status).to.equal(401);
    expect((await server.patch(path, { status: 'disabled' }, operator)).status).to.equal(200);
    expect((await server.patch(path, { status: 'active' }, operator)).status).to.equal(200);
    expect((await login()).status).to.equal(200);
    expect((await server.get('/api/projects', as(dan))).status).to.equal(200);
    const rows = (await auditOf(server, alice, dan.id)).map(({ action }) => action);
    expect(rows.filter((action) => action.startsWith('USER_'))).to.deep.equal([
      'USER_CREATED',
      'USER_CHANGED',
      'USER_DISABLED',
      'USER_ENABLED',
    ]);
  });

  it('is nobody’s to change but its person’s and an operator’s: no owner, admin or key of its tenant may', async () => {
    const dan = await player({ role: 'MEMBER' });
    const all = await issue(server, alice, { scopes: ['*'] });
    const some = await issue(server, alice, { scopes: ['users:write', 'admin:*'] });
    const before: unknown = await server.services.db('users').where({ id: dan.id });
    const callers = [alice, as(cast.carol), { 'x-api-key': all.key }, { 'x-api-key': some.key }];
    for (const headers of callers) {
      for (const change of [{ status: 'disabled' }, { name: 'renamed' }]) {
        refusal(await server.patch(`/api/v1/users/${dan.id}`, change, headers), 403, 'insufficient_permission');
      }
    }
    refusal(await server.patch(`/api/v1/users/${dan.id}`, { name: 'D' }, as(cast.bob)), 403, 'insufficient_permission');
    expect(await server.services.db('users').where({ id: dan.id })).to.deep.equal(before);
  });

  it('is renamed by its own person, who cannot disable it', async () => {
    const erin = await player({ role: 'ADMIN', permissions: ['members:manage'] });
    const path = `/api/users/${erin.id}`;
    expect((await server.patch(path, { name: 'Erin Marsh' }, as(erin))).body).to.include({ name: 'Erin Marsh' });
    refusal(await server.patch(path, { status: 'disabled' }, as(erin)), 403, 'insufficient_permission');
  });

  it('of an operator is disabled by another one, the last of them never', async () => {
    const { db } = server.services;
    await db('users').where({ operator: true }).update({ operator: false });
    const [first, last] = [
      await player({ role: 'OWNER', operator: true }),
      await player({ role: 'OWNER', operator: true }),
    ];
    expect((await server.patch(`/api/users/${first.id}`, { status: 'disabled' }, as(last))).status).to.equal(200);
    refusal(await server.patch(`/api/users/${last.id}`, { status: 'disabled' }, as(last)), 409, 'conflict');
  });

  it('of another tenant does not exist', async () => {
    const operator = as(await player({ role: 'OWNER', operator: true }));
    refusal(await server.patch(`/api/users/${cast.charlie.id}`, { status: 'disabled' }, operator), 404, 'not_found');
    expect((await server.get('/api/projects', as(cast.charlie))).status).to.equal(200);
  });

  async function player(part: Part): Promise<Player> {
    return addPlayer(server.services, cast.acme, `U${count++}`, part);
  }
});

onEachDatabase('the settings of a tenant', (database) => {
  const { server, ...cast } = useServer(database);

  it('take effect in every other route', async () => {
    const alice = as(cast.alice);
    const change = { name: 'Acme Inc.', slug: 'acme-inc' };
    const answer = await server.patch('/api/settings', change, alice);
    expect(answer.body).to.deep.include({ id: cast.acme.id, ...change });
    expect((await server.get('/api/settings', { ...alice, 'x-tenant-id': 'acme-inc' })).body).to.deep.equal(
      answer.body,
    );
    refusal(await server.get('/api/settings', { ...alice, 'x-tenant-id': 'acme' }), 403, 'tenant_mismatch');
    const [row] = (await auditOf(server, alice, cast.acme.id)).slice(-1);
    expect(row).to.deep.include({ action: 'TENANT_UPDATED', after: change });
  });

  it('show what the product’s own backend calls the tenant, which the tenant itself cannot change', async () => {
    const alice = as(cast.alice, cast.acme);
    await updateTenant(systemContext(server.services.db, ''), cast.acme.id, { externalId: 'crm-42' });
    for (const externalId of ['crm-43', null]) {
      const answer = await server.patch('/api/settings', { name: 'Acme Inc.', externalId }, alice);
      expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['externalId']);
    }
    expect((await server.get('/api/settings', alice)).body).to.include({ externalId: 'crm-42' });
  });

  it('never take the slug of somebody else', async () => {
    refusal(await server.patch('/api/settings', { slug: 'globex' }, as(cast.alice)), 409, 'conflict');
  });

  it('open to their scopes, and to people who administer', async () => {
    const keyWith = async (scope: string) => ({
      'x-api-key': (await issue(server, as(cast.alice), { scopes: [scope] })).key,
    });
    const [read, write, other] = [
      await keyWith('settings:read'),
      await keyWith('settings:write'),
      await keyWith('read'),
    ];
    expect((await server.get('/api/v1/settings', read)).status).to.equal(200);
    refusal(await server.patch('/api/v1/settings', { name: 'X' }, read), 403, 'insufficient_scope');
    expect((await server.patch('/api/v1/settings', { name: 'X' }, write)).status).to.equal(200);
    for (const headers of [other, as(cast.bob)]) {
      refusal(await server.get('/api/v1/settings', headers), 403, 'insufficient_scope');
      refusal(await server.patch('/api/v1/settings', { name: 'Y' }, headers), 403, 'insufficient_scope');
    }
    expect((await server.patch('/api/v1/settings', { name: 'Z' }, as(cast.carol))).status).to.equal(200);
  });
});
