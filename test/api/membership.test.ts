import { expect } from 'chai';
import { addPlayer, as, bearer, joinTenant, PASSWORD, type Part, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, issue, refusal } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';

onEachDatabase('a membership', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(() => {
    alice = as(cast.alice);
  });

  it('ends when the member leaves by themselves, whatever their role, and so do their own keys there', async () => {
    const lee = await player({ role: 'MEMBER', permissions: ['api-keys:manage'] });
    const own = await issue(server, as(lee), { owner: 'user', scopes: ['builder:read'] });
    const answer = await server.delete('/api/membership', as(lee));
    expect([answer.status, answer.body]).to.deep.equal([200, { id: lee.id, deleted: true }]);
    refusal(await server.get('/api/v1/whoami', { 'x-api-key': own.key }), 401, 'key_revoked');
    expect((await server.get('/api/projects', as(lee))).status).to.equal(403);
    const [row] = (await auditOf(server, alice, lee.id)).slice(-1);
    expect(row).to.deep.include({ action: 'MEMBER_LEFT', actorId: lee.id });
  });

  it('of the last owner cannot be left, and a key leaves none', async () => {
    refusal(await server.delete('/api/membership', as(cast.charlie)), 409, 'conflict');
    const { key } = await issue(server, alice, { scopes: ['*'] });
    refusal(await server.delete('/api/v1/membership', { 'x-api-key': key }), 403, 'insufficient_permission');
  });

  it('of the longest standing is meant by a credential that names no tenant, whatever its person joins later', async () => {
    const gina = await player({ role: 'MEMBER' }, cast.globex);
    await server.services.db('memberships').where({ user_id: gina.id }).decrement('created_at', 1_000);
    const before = (await server.get('/api/v1/whoami', bearer(gina))).body;
    await joinTenant(server.services, gina, cast.acme, { role: 'ADMIN' });
    expect((await server.get('/api/v1/whoami', bearer(gina))).body).to.deep.equal(before);
    const second = await server.get('/api/v1/whoami', as(gina, cast.acme));
    expect(second.body).to.have.nested.property('tenant.id', cast.acme.id);
    refusal(await server.get('/api/whoami', bearer(gina)), 400, 'tenant_required');
    const visitor = await signedIn(gina);
    expect((await visitor.get('/admin')).headers.location).to.equal('/admin/front');
    expect((await visitor.get('/admin/front')).headers.location).to.match(/^\/admin\/org\/globex\//);

    // A suspended first one is refused, not replaced: no write lands in another tenant by that.
    const globex = server.services.db('tenants').where({ id: cast.globex.id });
    await globex.clone().update({ status: 'suspended' });
    refusal(await server.get('/api/v1/whoami', bearer(gina)), 403, 'tenant_suspended');
    await globex.clone().update({ status: 'active' });
    await server.delete('/api/membership', as(gina, cast.globex));
    const { body } = await server.get('/api/v1/whoami', bearer(gina));
    expect(body).to.have.nested.property('tenant.id', cast.acme.id);
  });

  let count = 1;
  async function player(part: Part, tenant = cast.acme): Promise<Player> {
    return addPlayer(server.services, tenant, `M${count++}`, part);
  }

  async function signedIn({ email }: { email: string }): Promise<Visitor> {
    const visitor = new Visitor(server);
    expect((await visitor.signIn(email, PASSWORD)).status).to.equal(303);
    return visitor;
  }
});
