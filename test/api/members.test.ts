import { expect } from 'chai';
import { systemContext } from '../../app/actions/actionContext.ts';
import { changeUser } from '../../app/actions/people/changeUser.ts';
import { issueKeyWithin } from '../../app/actions/keys/issueKey.ts';
import type { Person } from '../../app/context.ts';
import { NewKey } from '../../app/domain/keyInput.ts';
import { DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { addPlayer, addTenant, as, bearer, joinTenant, type Part, type Player } from '../support/cast.ts';
import { onEachDatabase, untilSomebodyWaits } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { auditOf, issue, read, refusal, rotate, tried } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

interface Member {
  id: string;
  email: string;
  name: string;
  status: string;
  role: string;
  permissions: string[];
}

onEachDatabase('a member', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(async () => {
    alice = as(cast.alice);
  });

  it('is listed with everybody else, page by page', async () => {
    const whole = (await server.get('/api/members', alice)).body as { data: Member[] };
    expect(whole.data.map(({ name }) => name))
      .to.include.members(['Alice', 'Bob', 'Carol'])
      .and.not.include('Charlie');
    const seen: Member[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await server.get(`/api/members?limit=2${cursor && `&cursor=${cursor}`}`, alice);
      const page = body as { data: Member[]; nextCursor: string | null };
      seen.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(seen).to.deep.equal(whole.data);
  });

  it('granted what no longer exists keeps the rest, and loses it with the next change', async () => {
    const { db } = server.services;
    const dan = await player({ role: 'MEMBER', permissions: ['audit:read'] });
    const stored = db('memberships').where({ tenant_id: cast.acme.id, user_id: dan.id });
    await stored.clone().update({ permissions: '["settings:manage","audit:read","marketplace:manage"]' });
    const shown = memberIn(await server.get(`/api/members/${dan.id}`, alice));
    expect(shown.permissions).to.deep.equal(['audit:read']);
    const { body } = await server.get('/api/v1/whoami', bearer(dan));
    expect(body).to.deep.include({ role: 'MEMBER', permissions: ['audit:read'] });
    refusal(await server.get('/api/api-keys', as(dan)), 403, 'insufficient_permission');
    const changed = memberIn(await server.patch(`/api/members/${dan.id}`, { role: 'ADMIN' }, alice));
    expect(changed).to.deep.include({ role: 'ADMIN', permissions: ['audit:read'] });
    expect((await stored.first<{ permissions: string }>()).permissions).to.equal('["audit:read"]');
  });

  it('is changed from the next request on, and both before and after are written down', async () => {
    const dan = await player({ role: 'MEMBER' });
    refusal(await server.get('/api/members', as(dan)), 403, 'insufficient_permission');
    const change = { role: 'ADMIN', permissions: ['members:read', 'members:read'] };
    const changed = memberIn(await server.patch(`/api/members/${dan.id}`, change, alice));
    expect(changed).to.deep.include({ role: 'ADMIN', permissions: ['members:read'] });
    expect((await server.get('/api/members', as(dan))).status).to.equal(200);
    const [row] = (await auditOf(server, alice, dan.id)).slice(-1);
    expect(row).to.deep.include({
      action: 'MEMBER_CHANGED',
      before: { role: 'MEMBER', permissions: [] },
      after: { role: 'ADMIN', permissions: ['members:read'] },
    });
  });

  it('who is removed loses access and their own keys of that tenant at once', async () => {
    const dora = await player({ role: 'OWNER' });
    const own = await issue(server, as(dora), { owner: 'user' });
    const service = await issue(server, as(dora));
    const gone = await server.delete(`/api/members/${dora.id}`, alice);
    expect([gone.status, gone.body]).to.deep.equal([200, { id: dora.id, deleted: true }]);
    refusal(await server.get('/api/v1/whoami', { 'x-api-key': own.key }), 401, 'key_revoked');
    expect((await server.get('/api/v1/whoami', { 'x-api-key': service.key })).status).to.equal(200);
    expect((await server.get('/api/projects', as(dora))).status).to.equal(403);
    refusal(await server.get(`/api/members/${dora.id}`, alice), 404, 'not_found');
    refusal(await server.delete(`/api/members/${dora.id}`, alice), 404, 'not_found');
    const [row] = (await auditOf(server, alice, dora.id)).slice(-1);
    expect(row).to.deep.include({ action: 'MEMBER_REMOVED', before: { role: 'OWNER', permissions: [] }, after: null });
  });

  it('who comes back after being removed finds their own keys revoked, those in their grace period too', async () => {
    const finn = await player({ role: 'MEMBER', permissions: ['api-keys:manage', 'audit:read'] });
    const old = await issue(server, as(finn), { owner: 'user' });
    const next = await rotate(server, as(finn), old.id, { gracePeriodSeconds: 600 });
    const service = await issue(server, as(finn));
    await server.delete(`/api/members/${finn.id}`, alice);
    await joinTenant(server.services, finn, cast.acme, { role: 'MEMBER' });
    for (const { id, key } of [old, next]) {
      expect(await tried(server, key)).to.equal('401 key_revoked');
      expect(await read(server, alice, id)).to.include({ status: 'revoked' });
      const [row] = (await auditOf(server, alice, id)).slice(-1);
      expect(row).to.deep.include({ action: 'API_KEY_REVOKED', actorId: cast.alice.id });
      expect(row?.after).to.include({ reason: 'The person it belongs to was removed' });
    }
    expect(await tried(server, service.key)).to.equal('200');
  });

  if (database.kind === 'mysql') {
    it('who makes a key of their own while they are being removed is left without it', async () => {
      const gwen = await player({ role: 'MEMBER', permissions: ['api-keys:manage', 'audit:read'] });
      const { db, config } = server.services;
      const making = await db.transaction();
      const act = { ...systemContext(db, cast.acme.id), principal: await principalOf(gwen) };
      const wish = NewKey.parse({ name: 'late', owner: 'user' });
      const { text } = await issueKeyWithin(making, act, config.keys, DEFAULT_POLICY, wish);
      const removal = server.delete(`/api/members/${gwen.id}`, alice);
      await untilSomebodyWaits(db);
      await making.commit();
      expect((await removal).status).to.equal(200);
      await joinTenant(server.services, gwen, cast.acme, { role: 'MEMBER' });
      expect(await tried(server, text)).to.equal('401 key_revoked');
    });
  }

  describe('is only changed by who holds as much:', () => {
    it('a person without the permission changes nobody, an admin no more than a member', async () => {
      for (const headers of [as(cast.bob), as(cast.carol)]) {
        refusal(await server.get('/api/members', headers), 403, 'insufficient_permission');
        for (const answer of await tryAll(headers, cast.bob.id)) refusal(answer, 403, 'insufficient_permission');
      }
    });

    it('a manager raises nobody above themselves, not even themselves, and reaches nobody above them', async () => {
      const mia = await player({ role: 'ADMIN', permissions: ['members:manage'] });
      const target = await player({ role: 'MEMBER' });
      const mine = as(mia);
      const raises: object[] = [{ role: 'OWNER' }, { permissions: ['billing:manage'] }];
      for (const raise of raises) {
        for (const id of [mia.id, target.id]) {
          refusal(await server.patch(`/api/members/${id}`, raise, mine), 403, 'insufficient_permission');
        }
        const invitation = { email: 'raised@acme.example', ...raise };
        refusal(await server.post('/api/members/invitations', invitation, mine), 403, 'insufficient_permission');
      }
      for (const answer of await tryAll(mine, cast.alice.id, false)) refusal(answer, 403, 'insufficient_permission');
      const helper = { role: 'ADMIN', permissions: ['members:manage'] };
      expect((await server.patch(`/api/members/${target.id}`, helper, mine)).status).to.equal(200);
      expect((await server.get(`/api/members/${cast.alice.id}`, alice)).body).to.deep.include({ role: 'OWNER' });
    });

    it('a refused invitation does not tell who has an account', async () => {
      const mia = await player({ role: 'MEMBER', permissions: ['members:manage'] });
      const told = async (email: string) => {
        const { status, body } = await server.post('/api/members/invitations', { email, role: 'OWNER' }, as(mia));
        return { status, body: { ...(body as object), requestId: '' } };
      };
      expect(await told(cast.charlie.email)).to.deep.equal(await told('nobody@acme.example'));
    });
  });

  describe('who is the last owner', () => {
    it('stays one, whatever way they would be lost', async () => {
      const { tenantId, headers, id } = await alone();
      const ways = [
        await server.patch(`/api/members/${id}`, { role: 'ADMIN' }, headers),
        await server.delete(`/api/members/${id}`, headers),
        await server.delete('/api/membership', headers),
      ];
      for (const answer of ways) refusal(answer, 409, 'conflict');
      const owners = await server.services.db('memberships').where('tenant_id', tenantId).select('user_id', 'role');
      expect(owners).to.deep.equal([{ user_id: id, role: 'OWNER' }]);
    });

    it('is the last one who can sign in: a disabled owner counts for nothing', async () => {
      const { headers, id, tenant } = await alone();
      const second = await player({ role: 'OWNER' }, tenant);
      await changeUser(systemContext(server.services.db, tenant.id), second.id, { status: 'disabled' });
      refusal(await server.delete(`/api/members/${id}`, headers), 409, 'conflict');
      expect((await server.delete(`/api/members/${second.id}`, headers)).status).to.equal(200);
    });

    it('one owner is left of two who remove each other at once', async () => {
      for (let round = 0; round < 6; round++) {
        const { headers, id, tenant } = await alone();
        const second = await player({ role: 'OWNER' }, tenant);
        const both = await Promise.all([
          server.delete(`/api/members/${second.id}`, headers),
          server.patch(`/api/members/${id}`, { role: 'MEMBER' }, as(second)),
        ]);
        const owners = await server.services.db('memberships').where({ tenant_id: tenant.id, role: 'OWNER' });
        expect(owners, both.map(({ status }) => status).join()).to.have.length(1);
      }
    });
  });

  describe('and a key', () => {
    it('may do what its scope says, and no more than that', async () => {
      const bob = `/api/v1/members/${(await player({ role: 'MEMBER' })).id}`;
      const ways: [scope: string, method: string, path: string, json?: object][] = [
        ['members:read', 'GET', '/api/v1/members'],
        ['members:read', 'GET', bob],
        ['members:write', 'POST', '/api/v1/members/invitations', { email: 'by.key@acme.example' }],
        ['members:delete', 'DELETE', bob],
      ];
      const other = await issue(server, alice, { scopes: ['read', 'users:*', 'admin:*'] });
      for (const [scope, method, path, json] of ways) {
        const ask = async (key: string) =>
          server.send(method, path, { headers: { 'x-api-key': key }, ...(json && { json }) });
        refusal(await ask(other.key), 403, 'insufficient_scope');
        const { key } = await issue(server, alice, { scopes: [scope] });
        expect((await ask(key)).status, `${method} ${path}`).to.be.oneOf([200, 201]);
      }
    });

    it('raises nobody above a member', async () => {
      const target = await player({ role: 'MEMBER' });
      const key = { 'x-api-key': (await issue(server, alice, { scopes: ['members:*', 'read'] })).key };
      for (const raise of [{ role: 'ADMIN' }, { permissions: ['api-keys:manage'] }]) {
        refusal(await server.patch(`/api/v1/members/${target.id}`, raise, key), 403, 'insufficient_permission');
        const invitation = { email: 'up@acme.example', ...raise };
        refusal(await server.post('/api/v1/members/invitations', invitation, key), 403, 'insufficient_permission');
      }
      refusal(await server.delete(`/api/v1/members/${cast.carol.id}`, key), 403, 'insufficient_permission');
    });

    it('of a person stands no higher than that person', async () => {
      const target = await player({ role: 'MEMBER' });
      const rita = await player({ role: 'OWNER' });
      const { key } = await issue(server, as(rita), { scopes: ['*'], owner: 'user' });
      await server.patch(`/api/members/${rita.id}`, { role: 'ADMIN' }, alice);
      const raise = server.patch(`/api/v1/members/${target.id}`, { role: 'OWNER' }, { 'x-api-key': key });
      refusal(await raise, 403, 'insufficient_permission');
    });
  });

  async function player(part: Part, tenant = cast.acme): Promise<Player> {
    return addPlayer(server.services, tenant, `P${count++}`, part);
  }

  async function principalOf({ id, name, tenant }: Player): Promise<Person> {
    const found = await server.services.lookup.person('id', id);
    const membership = found?.memberships.find((one) => one.tenant.id === tenant.id);
    if (!membership) throw new Error(`${name} is no member`);
    return { type: 'user', id, name, operator: false, ...membership };
  }

  async function alone() {
    const tenant = await addTenant(server.services, `Alone ${count++}`);
    const only = await player({ role: 'OWNER' }, tenant);
    return { tenant, tenantId: tenant.id, id: only.id, headers: as(only) };
  }

  async function tryAll(headers: Headers, id: string, inviting = true): Promise<Answer[]> {
    return [
      await server.patch(`/api/members/${id}`, { role: 'MEMBER' }, headers),
      await server.delete(`/api/members/${id}`, headers),
      ...(inviting ? [await server.post('/api/members/invitations', { email: 'friend@acme.example' }, headers)] : []),
    ];
  }
});

let count = 1;

function memberIn({ status, body, text }: Answer, expected = 200): Member {
  expect(status, text).to.equal(expected);
  return body as Member;
}
