import { expect } from 'chai';
import { RESOURCES } from '../../app/domain/resources.ts';
import { covers } from '../../app/domain/scope.ts';
import { addPlayer, as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, detailOf, issue, refusal, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

interface Available {
  scopes: string[];
  catalogue: { scope: string; alias?: string; description: string; group: string; routes: string[] }[];
}

const TICKET = { subject: 'Help', message: 'It broke' };

onEachDatabase('the names of scopes', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;
  before(async () => {
    alice = as(cast.alice);
  });

  const withKey = ({ key }: Key): Headers => ({ 'x-api-key': key });
  const available = async (headers = alice) =>
    (await server.get('/api/api-keys/scopes/available', headers)).body as Available;

  it('tickets:* stands for support:*: it is stored as given and opens the same routes, no more', async () => {
    const opened: Record<string, [read: number, write: number]> = {
      'tickets:read': [200, 403],
      'tickets:write': [200, 201],
      'tickets:delete': [403, 403],
      'tickets:*': [200, 201],
    };
    for (const [scope, statuses] of Object.entries(opened)) {
      const key = await issue(server, alice, { scopes: [scope] });
      expect(key.scopes).to.deep.equal([scope]);
      const list = await server.get('/api/v1/support/tickets', withKey(key));
      const ticket = await server.post('/api/v1/support/tickets', TICKET, withKey(key));
      expect([list.status, ticket.status], scope).to.deep.equal(statuses);
      expect((await server.get('/api/v1/projects', withKey(key))).status, scope).to.equal(403);
      const whoami = await server.get('/api/v1/whoami', withKey(key));
      expect(whoami.body).to.deep.include({ scopes: [scope] });
    }
  });

  it('read:tickets is stored as tickets:read, as every scope with its verb first is', async () => {
    const key = await issue(server, alice, { scopes: ['read:tickets'] });
    expect(key.scopes).to.deep.equal(['tickets:read']);
    expect((await server.get('/api/v1/support/tickets', withKey(key))).status).to.equal(200);
  });

  it('an alias is granted by exactly those who can grant what it stands for', async () => {
    const part = { role: 'MEMBER', permissions: ['api-keys:manage'] } as const;
    const mia = await addPlayer(server.services, cast.acme, 'Mia', part);
    await issue(server, as(mia), { scopes: ['tickets:write'] });
    for (const scope of ['tickets:*', 'tickets:delete', '*:*']) {
      const answer = await server.post('/api/api-keys', { name: 'x', scopes: [scope] }, as(mia));
      refusal(answer, 403, 'insufficient_permission');
    }
  });

  it('a request that a scope opened counts as a use of the scope under the name it was granted by', async () => {
    const key = await issue(server, alice, { scopes: ['tickets:read', 'tickets:write'] });
    await server.get('/api/v1/support/tickets', withKey(key));
    const stats = await server.get(`/api/api-keys/${key.id}/usage/stats`, alice);
    expect((stats.body as { scopes: unknown }).scopes).to.deep.equal({
      used: [{ scope: 'support:read', requests: 1 }],
      neverUsed: [],
    });
  });

  it('scopes/available offers every name, with the other name of the same scope as its alias', async () => {
    const { scopes, catalogue } = await available();
    expect(catalogue.map(({ scope }) => scope)).to.deep.equal(scopes);
    expect(new Set(scopes).size).to.equal(scopes.length);
    expect(scopes).to.include.members(['*', '*:*', 'admin:*', 'self:read', 'self:write', 'tickets:read', 'tickets:*']);
    const aliases = Object.fromEntries(catalogue.map(({ scope, alias }) => [scope, alias]));
    expect(aliases).to.include({
      ...{ 'users:read': 'read:users', 'users:write': 'write:users', 'self:write': 'write:self' },
      ...{ 'activity:read': 'read:activity', 'notifications:write': 'write:notifications' },
      ...{ '*': '*:*', '*:*': '*', 'support:read': 'tickets:read', 'tickets:read': 'support:read' },
    });
    for (const name of ['read', 'marketplace:install', 'admin:*']) expect(aliases[name], name).to.equal(undefined);
  });

  it('every scope offered can be granted by the name and by the alias, and opens the routes listed beside it', async () => {
    const { catalogue } = await available();
    for (const { scope, alias, routes } of catalogue) {
      const asked = alias === undefined ? [scope] : [scope, alias];
      for (const name of asked) {
        const answer = await server.post('/api/api-keys', { name: 'granted', scopes: [name] }, alice);
        expect(answer.status, `${name} ${answer.text}`).to.equal(201);
      }
      expect(routes, scope).not.to.deep.equal([]);
    }
    const routesOf = (name: string) => catalogue.find(({ scope }) => scope === name)?.routes;
    expect(routesOf('self:write')).to.have.members(
      ['GET', 'PATCH'].flatMap((method) => [`${method} /api/v1/self`, `${method} /api/self`]),
    );
    expect(routesOf('tickets:write')).to.deep.equal(routesOf('support:write'));
    expect(routesOf('projects:write')).to.include.members(['GET /api/v1/projects', 'POST /api/v1/projects']);
  });

  it('a scope that opens no route is not offered, and is granted where somebody asks for it', async () => {
    const { scopes } = await available();
    const unused = ['support:delete', 'tickets:delete', 'users:manage'];
    for (const scope of unused) expect(scopes).not.to.include(scope);
    const routes = (await server.get('/api/admin/routes', alice)).body as { data: { scope?: string }[] };
    const required = routes.data.flatMap(({ scope }) => (scope === undefined ? [] : [scope]));
    for (const scope of scopes.filter((one) => !one.startsWith('tickets:')))
      expect(
        required.some((one) => covers(scope, one)),
        scope,
      ).to.equal(true);
    for (const { name } of RESOURCES) expect(scopes).to.include.members([`${name}:read`, `${name}:delete`]);
    expect((await issue(server, alice, { scopes: unused })).scopes).to.deep.equal(unused);
  });

  it('the refusal of unknown scopes names them, and nothing that is no scope', async () => {
    const one = await server.post('/api/api-keys', { name: 'x', scopes: ['read', 'zebra:read'] }, alice);
    expect(refusal(one, 422, 'invalid_input')).to.deep.equal(['scopes.1']);
    expect(detailOf(one)).to.equal('The body has fields that are wrong. Unknown scopes: zebra:read.');
    const scopes = ['read:zebra', 'projects:fly', 'projects:fly'];
    const several = await server.post('/api/api-keys', { name: 'x', scopes }, alice);
    expect(detailOf(several)).to.equal('The body has fields that are wrong. Unknown scopes: zebra:read, projects:fly.');
    const unfit = await server.post('/api/api-keys', { name: 'x', scopes: ['<script>', 'X'.repeat(70)] }, alice);
    expect(refusal(unfit, 422, 'invalid_input')).to.deep.equal(['scopes.0', 'scopes.1']);
    expect(unfit.text).not.to.include('script');
    const { id } = await issue(server, alice);
    const patched = await server.patch(`/api/api-keys/${id}`, { scopes: ['zebra:*'] }, alice);
    expect(detailOf(patched)).to.include('Unknown scopes: zebra:*.');
    const none = await server.post('/api/api-keys', { name: '', scopes: ['read'] }, alice);
    expect(detailOf(none)).to.equal('The body has fields that are wrong.');
    expect((await auditOf(server, alice, id)).length).to.equal(1);
  });
});
