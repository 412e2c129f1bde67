import { expect } from 'chai';
import { RESOURCES } from '../../../app/domain/resources.ts';
import { as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { auditOf, detailOf, issue, refusal } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

interface Kept {
  id: string;
  name: string;
  createdAt: string;
  updatedAt: string;
  [field: string]: unknown;
}

const NAMES = RESOURCES.map(({ name }) => name);

onEachDatabase('a record', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(async () => {
    alice = as(cast.alice);
  });

  for (const mount of ['/api', '/api/v1']) {
    it(`of every resource is made, read, listed, changed and deleted below ${mount}`, async () => {
      expect(NAMES).to.include.members([
        'projects',
        'inventory',
        'products',
        'orders',
        'customers',
        'files',
        'webhooks',
      ]);
      for (const resource of NAMES) {
        const path = `${mount}/${resource}`;
        const made = keptIn(await server.post(path, minimal(resource, 'one'), alice), 201);
        expect(made).to.include({ name: 'one', createdBy: cast.alice.id }, resource);
        expect(keptIn(await server.get(`${path}/${made.id}`, alice))).to.deep.equal(made);
        expect(listed(await server.get(path, alice))[0]).to.deep.equal(made);
        const changed = keptIn(await server.patch(`${path}/${made.id}`, { name: 'two' }, alice));
        expect(changed).to.deep.equal({ ...made, name: 'two', updatedAt: changed.updatedAt });
        expect(keptIn(await server.get(`${path}/${made.id}`, alice))).to.deep.equal(changed);
        const gone = await server.delete(`${path}/${made.id}`, alice);
        expect([gone.status, gone.body]).to.deep.equal([200, { id: made.id, deleted: true }]);
        for (const again of [
          await server.get(`${path}/${made.id}`, alice),
          await server.delete(`${path}/${made.id}`, alice),
        ])
          refusal(again, 404, 'not_found');
        expect(listed(await server.get(path, alice)).map(({ id }) => id)).not.to.include(made.id);
      }
    });
  }

  it('keeps what a change does not name, and loses what it sets to null', async () => {
    const price = { amount: 1999, currency: 'EUR' };
    const { id } = keptIn(await server.post('/api/products', { name: 'Lamp', sku: 'L-1', price }, alice), 201);
    expect(listed(await server.get('/api/products?sku=L-1&status=active', alice)).map((one) => one.id)).to.deep.equal([
      id,
    ]);
    const draft = keptIn(await server.patch(`/api/products/${id}`, { status: 'draft', sku: null }, alice));
    expect(draft).to.deep.include({ name: 'Lamp', sku: null, price, status: 'draft' });
    expect(listed(await server.get('/api/products?sku=L-1', alice))).to.deep.equal([]);
    expect(listed(await server.get('/api/products?status=draft', alice)).map((one) => one.id)).to.deep.equal([id]);
  });

  it('holds every one of several changes at once', async () => {
    for (let round = 0; round < 4; round++) {
      const { id } = keptIn(await server.post('/api/products', { name: 'raced' }, alice), 201);
      const price = { amount: 5, currency: 'CHF' };
      const changes = [{ name: 'N' }, { description: 'D' }, { sku: 'S' }, { price }, { status: 'draft' }];
      const path = `/api/products/${id}`;
      const answers = await Promise.all(changes.map(async (change) => server.patch(path, change, alice)));
      expect(answers.map(({ status }) => status)).to.deep.equal(changes.map(() => 200));
      expect(keptIn(await server.get(path, alice))).to.deep.include(Object.assign({}, ...changes) as object);
    }
  });

  it('shows the fields of today, whatever it was stored with', async () => {
    const { id } = keptIn(await server.post('/api/projects', { name: 'old' }, alice), 201);
    await server.services.db('records').where({ id }).update({ data: '{"name":"old","gone":1}' });
    const shown = keptIn(await server.get(`/api/projects/${id}`, alice));
    expect(shown).to.include({ name: 'old', status: 'active', description: null }).and.not.have.property('gone');
  });

  it('leaves a row in the audit log when it is changed or deleted, and none when nothing about it changes', async () => {
    const { id } = keptIn(await server.post('/api/projects', { name: 'Bridge', description: 'of wood' }, alice), 201);
    const key = await issue(server, alice, { scopes: ['projects:write', 'projects:delete'] });
    const path = `/api/v1/projects/${id}`;
    const byKey = { 'x-api-key': key.key };
    keptIn(await server.patch(path, { description: 'of stone', status: 'done' }, alice));
    keptIn(await server.patch(path, { status: 'done' }, alice));
    refusal(await server.patch(path, { status: 'unknown' }, alice), 422, 'invalid_input');
    expect((await server.delete(path, byKey)).status).to.equal(200);
    refusal(await server.delete(path, byKey), 404, 'not_found');
    const rows = await auditOf(server, alice, id);
    expect(
      rows.map(({ action, entity, actorId, before, after }) => ({ action, entity, actorId, before, after })),
    ).to.deep.equal([
      {
        ...{ action: 'RECORD_UPDATED', entity: 'record', actorId: cast.alice.id },
        before: { description: 'of wood', status: 'active' },
        after: { resource: 'projects', description: 'of stone', status: 'done' },
      },
      {
        ...{ action: 'RECORD_DELETED', entity: 'record', actorId: key.id },
        before: { resource: 'projects', name: 'Bridge', description: 'of stone', status: 'done', dueOn: null },
        after: null,
      },
    ]);
  });

  it('of any size and age is changed and deleted, with the beginning of a long text in the audit log', async () => {
    const content = '\u{1F4D6}'.repeat(8_000);
    const { id } = keptIn(await server.post('/api/docs', { name: 'Manual', content }, alice), 201);
    keptIn(await server.patch(`/api/docs/${id}`, { content: `${content} ends otherwise` }, alice));
    await server.services.db('records').where({ id }).update({ data: '{"name":"Manual","password":"of before"}' });
    expect((await server.delete(`/api/docs/${id}`, alice)).status).to.equal(200);
    const [changed, deleted] = await auditOf(server, alice, id);
    const beginning = `${'\u{1F4D6}'.repeat(250)}…`;
    expect(changed).to.deep.include({ before: { content: beginning } });
    expect(changed?.after).to.deep.equal({ resource: 'docs', content: beginning });
    expect(deleted?.before).to.include({ resource: 'docs', name: 'Manual' }).and.not.have.property('password');
  });

  describe('opens to a key', () => {
    it('by the very scope of the method, and by no other', async () => {
      for (const resource of NAMES) {
        const { id } = keptIn(await server.post(`/api/${resource}`, minimal(resource), alice), 201);
        const ways: [scope: string, method: string, path: string][] = [
          [`${resource}:read`, 'GET', `/api/v1/${resource}`],
          [`${resource}:read`, 'GET', `/api/v1/${resource}/${id}`],
          [`${resource}:write`, 'POST', `/api/v1/${resource}`],
          [`${resource}:write`, 'PATCH', `/api/v1/${resource}/${id}`],
          [`${resource}:delete`, 'DELETE', `/api/v1/${resource}/${id}`],
        ];
        const other = resource === 'docs' ? 'files' : 'docs';
        const keys = await keysOf([...new Set(ways.map(([scope]) => scope)), `${other}:*`]);
        for (const [scope, method, path] of ways) {
          const json = method === 'POST' ? minimal(resource) : method === 'PATCH' ? { name: 'by key' } : undefined;
          const ask = async (key = '') =>
            server.send(method, path, { headers: { 'x-api-key': key }, ...(json && { json }) });
          for (const [held, key] of keys) {
            if (held === scope || (held.endsWith(':write') && scope.endsWith(':read'))) continue;
            expect(detailOf(await refused(await ask(key)))).to.equal(`Missing required scope: ${scope}`);
          }
          expect((await ask(keys.get(scope))).status, `${method} ${path} with ${scope}`).to.be.oneOf([200, 201]);
        }
      }
    });

    it('as the one who made it', async () => {
      const key = await issue(server, alice, { scopes: ['projects:write'] });
      const made = keptIn(await server.post('/api/v1/projects', { name: 'first' }, { 'x-api-key': key.key }), 201);
      expect(made['createdBy']).to.equal(key.id);
    });

    it('by the bare scope read only outside administration', async () => {
      const { key } = await issue(server, alice, { scopes: ['read'] });
      for (const resource of NAMES) {
        const { status } = await server.get(`/api/v1/${resource}`, { 'x-api-key': key });
        expect(status, resource).to.equal(['webhooks', 'modules'].includes(resource) ? 403 : 200);
      }
    });
  });

  it('opens to people by their role: a member writes ordinary ones and deletes none', async () => {
    const bob = as(cast.bob);
    const { id } = keptIn(await server.post('/api/projects', { name: 'by Bob' }, bob), 201);
    expect((await server.patch(`/api/projects/${id}`, { name: 'mine' }, bob)).status).to.equal(200);
    refusal(await server.delete(`/api/projects/${id}`, bob), 403, 'insufficient_scope');
    refusal(await server.post('/api/webhooks', minimal('webhooks'), bob), 403, 'insufficient_scope');
    refusal(await server.get('/api/webhooks', bob), 403, 'insufficient_scope');
    expect((await server.delete(`/api/projects/${id}`, as(cast.carol))).status).to.equal(200);
  });

  it('of another tenant, or of another resource, is not there', async () => {
    const charlie = as(cast.charlie);
    const before = keptIn(await server.post('/api/projects', { name: 'secret plan' }, alice), 201);
    for (const [path, headers] of [
      [`/api/projects/${before.id}`, charlie],
      [`/api/products/${before.id}`, alice],
      ['/api/projects/01890000-0000-7000-8000-000000000000', alice],
      ['/api/projects/no-id', alice],
    ] as const) {
      for (const answer of [
        await server.get(path, headers),
        await server.patch(path, { name: 'taken' }, headers),
        await server.delete(path, headers),
      ])
        refusal(answer, 404, 'not_found');
    }
    expect(listed(await server.get('/api/projects?q=secret', charlie))).to.deep.equal([]);
    expect(keptIn(await server.get(`/api/projects/${before.id}`, alice))).to.deep.equal(before);
  });

  it('takes deep and wide JSON for what it is, and stays up', async () => {
    const deep = `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const wide = `{"name":"x"${Array.from({ length: 5000 }, (_, i) => `,"f${i}":1`).join('')}}`;
    const twice = '{"name":"first","name":"second"}';
    for (const [body, status] of [
      [deep, 422],
      [wide, 422],
      [twice, 201],
    ] as const) {
      const headers = { ...alice, 'Content-Type': 'application/json' };
      const answer = await server.send('POST', '/api/projects', { headers, body });
      expect(answer.status).to.equal(status);
      expect(answer.text.length).to.be.lessThan(4000);
    }
  });

  async function keysOf(scopes: string[]): Promise<Map<string, string>> {
    const keys = await Promise.all(
      scopes.map(async (scope) => [scope, (await issue(server, alice, { scopes: [scope] })).key] as const),
    );
    return new Map(keys);
  }

  async function refused(answer: Answer): Promise<Answer> {
    refusal(answer, 403, 'insufficient_scope');
    return answer;
  }
});

function minimal(resource: string, name = 'a record'): Record<string, string> {
  return { name, ...(resource === 'webhooks' && { url: 'https://example.com/hook' }) };
}

function keptIn({ status, body, text }: Answer, expected = 200): Kept {
  expect(status, text).to.equal(expected);
  return body as Kept;
}

function listed({ status, body, text }: Answer): Kept[] {
  expect(status, text).to.equal(200);
  return (body as { data: Kept[] }).data;
}
