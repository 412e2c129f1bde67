import { expect } from 'chai';
import { as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { auditOf, issue, refusal } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

interface Saved {
  id: string;
  name: string;
  version: number;
  latestVersion: number;
  content: unknown;
  savedBy: string;
}

onEachDatabase('a draft of the builder', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(async () => {
    alice = as(cast.alice);
  });

  it('is saved as the next version of its name, and every version can be read', async () => {
    const first = await save('Landing page', { blocks: [1] });
    const second = await save('Landing page', { blocks: [1, 2] }, as(cast.bob));
    expect(first).to.deep.include({ version: 1, latestVersion: 1, content: { blocks: [1] }, savedBy: cast.alice.id });
    expect(second).to.deep.include({ id: first.id, version: 2, content: { blocks: [1, 2] }, savedBy: cast.bob.id });
    expect((await server.get(`/api/builder/drafts/${first.id}`, alice)).body).to.deep.equal(second);
    const early = (await server.get(`/api/builder/drafts/${first.id}?version=1`, alice)).body;
    expect(early).to.deep.equal({ ...first, latestVersion: 2 });
    refusal(await server.get(`/api/builder/drafts/${first.id}?version=3`, alice), 404, 'not_found');
  });

  it('is another one under another name, were it only another case, and in another tenant', async () => {
    const one = await save('Form', {});
    const others = [await save('form', {}), await save('Form', {}, as(cast.charlie))];
    for (const other of others) expect(other).to.include({ version: 1 }).and.not.include({ id: one.id });
    refusal(await server.get(`/api/builder/drafts/${one.id}`, as(cast.charlie)), 404, 'not_found');
    const { data } = (await server.get('/api/builder/drafts', as(cast.charlie))).body as { data: Saved[] };
    expect(data.map(({ name, version }) => [name, version])).to.deep.equal([['Form', 1]]);
  });

  it('is listed once, with its newest version, page by page', async () => {
    for (const name of ['a', 'b', 'c', 'b']) await save(`listed ${name}`, {});
    const first = (await server.get('/api/builder/drafts?limit=2', alice)).body as {
      data: Saved[];
      nextCursor: string;
    };
    expect(first.data.map(({ name, version }) => [name, version])).to.deep.equal([
      ['listed c', 1],
      ['listed b', 2],
    ]);
    expect(first.data[0]).not.to.have.property('content');
    const next = `/api/builder/drafts?limit=1&cursor=${first.nextCursor}`;
    expect(((await server.get(next, alice)).body as { data: Saved[] }).data.map(({ name }) => name)).to.deep.equal([
      'listed a',
    ]);
    refusal(await server.get(next, as(cast.charlie)), 400, 'invalid_query');
  });

  it('leaves a row in the audit log with each saving, which names the version and not what it holds', async () => {
    const { id } = await save('Audited', { secret: 'plan' });
    await save('Audited', { secret: 'plan two' }, as(cast.bob));
    const rows = await auditOf(server, alice, id);
    expect(
      rows.map(({ action, entity, actorId, before, after }) => ({ action, entity, actorId, before, after })),
    ).to.deep.equal([
      {
        ...{ action: 'DRAFT_SAVED', entity: 'draft', actorId: cast.alice.id },
        ...{ before: null, after: { name: 'Audited', version: 1 } },
      },
      {
        ...{ action: 'DRAFT_SAVED', entity: 'draft', actorId: cast.bob.id },
        ...{ before: { version: 1 }, after: { name: 'Audited', version: 2 } },
      },
    ]);
  });

  it('loses no version of ten savings at once, the very first among them', async () => {
    for (let round = 0; round < 4; round++) {
      const saved = await Promise.all(Array.from({ length: 10 }, async (_, i) => save(`raced ${round}`, { i })));
      expect(saved.map(({ version }) => version).sort((a, b) => a - b)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      for (const { id, version, content } of saved) {
        const read = (await server.get(`/api/builder/drafts/${id}?version=${version}`, alice)).body;
        expect(read).to.deep.include({ content });
      }
    }
  });

  it('gives any JSON back as it came, up to 64 levels deep', async () => {
    const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    const odd = JSON.parse(
      '{"__proto__":{"x":1},"constructor":null,"":"\\u0000\\ud800","🔑":-1.5e-7,"2":[[],{}]}',
    ) as unknown;
    for (const content of [null, false, 0, '', 'é\n', [], odd, deep(64)]) {
      expect(JSON.stringify((await save('odd', content)).content)).to.equal(JSON.stringify(content));
    }
    const sent = { ...alice, 'Content-Type': 'application/json' };
    for (const content of [JSON.stringify(deep(66)), '['.repeat(30_000) + ']'.repeat(30_000), '[1e999]']) {
      const body = `{"name":"odd","content":${content}}`;
      const answer = await server.send('POST', '/api/builder/draft', { headers: sent, body });
      expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(['content']);
    }
  });

  it('opens to keys with its scopes', async () => {
    const keyWith = async (scope: string) => ({ 'x-api-key': (await issue(server, alice, { scopes: [scope] })).key });
    const [read, write, other] = [
      await keyWith('builder:read'),
      await keyWith('builder:write'),
      await keyWith('docs:*'),
    ];
    const { id } = await save('by key', {}, write);
    for (const path of ['/api/v1/builder/drafts', `/api/v1/builder/drafts/${id}`]) {
      expect((await server.get(path, read)).status).to.equal(200);
      refusal(await server.get(path, other), 403, 'insufficient_scope');
    }
    refusal(await server.post('/api/v1/builder/draft', { name: 'x' }, read), 403, 'insufficient_scope');
  });

  async function save(name: string, content: unknown, headers = alice): Promise<Saved> {
    const answer: Answer = await server.post('/api/v1/builder/draft', { name, content }, headers);
    expect(answer.status, answer.text).to.equal(201);
    return answer.body as Saved;
  }
});
