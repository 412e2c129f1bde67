import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, refusal, tried } from '../support/keys.ts';
import { createRoutes } from '../../app/routes.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('a change with If-Match', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);
  const matching = (tag: string | undefined) => ({ ...alice(), 'If-Match': tag ?? '' });

  /** Every object with a version: how it is read, how it is changed, and what changes it meanwhile. */
  const objects: Record<string, () => Promise<Versioned>> = {
    'a key': async () => {
      const path = `/api/api-keys/${(await issue(server, alice())).id}`;
      return {
        path,
        change: (headers) => server.patch(path, { name: 'mine' }, headers),
        meanwhile: { name: 'theirs' },
      };
    },
    'a record': async () => {
      const { headers } = await server.post('/api/projects', { name: 'a project' }, alice());
      const path = headers.location ?? '';
      return { path, change: (sent) => server.patch(path, { name: 'mine' }, sent), meanwhile: { name: 'theirs' } };
    },
    'the policy': async () => {
      const path = '/api/security-center/settings';
      await server.post(path, { idleDays: 90 }, alice());
      return {
        path,
        change: (headers) => server.post(path, { idleDays: 60 }, headers),
        meanwhile: { idleDays: 30 },
        method: 'POST',
      };
    },
    'the tenant': async () => {
      const path = '/api/settings';
      return {
        path,
        change: (headers) => server.patch(path, { name: 'Acme A' }, headers),
        meanwhile: { name: 'Acme B' },
      };
    },
    'a member': async () => {
      const path = `/api/members/${cast.bob.id}`;
      return {
        path,
        change: (headers) => server.patch(path, { permissions: [] }, headers),
        meanwhile: { permissions: ['audit:read'] },
      };
    },
    'an account': async () => {
      const path = `/api/users/${cast.alice.id}`;
      return {
        path,
        change: (headers) => server.patch(path, { name: 'Alice M' }, headers),
        meanwhile: { name: 'Alice T' },
      };
    },
    oneself: async () => {
      const path = '/api/self';
      return {
        path,
        change: (headers) => server.patch(path, { name: 'Alice X' }, headers),
        meanwhile: { name: 'Alice Y' },
      };
    },
  };

  for (const [name, make] of Object.entries(objects)) {
    it(`is refused with 412 once somebody has changed ${name} meanwhile, and changes nothing`, async () => {
      const { path, change, meanwhile, method = 'PATCH' } = await make();
      const seen = await server.get(path, alice());
      expect(seen.headers.etag).to.match(/^"[\w-]{22}"$/);
      const theirs = await server.send(method, path, { headers: alice(), json: meanwhile });
      expect(theirs.status, theirs.text).to.equal(200);

      refusal(await change(matching(seen.headers.etag)), 412, 'changed_meanwhile');
      const now = await server.get(path, alice());
      expect(now.body).to.deep.include(meanwhile);
      expect(now.headers.etag).to.equal(theirs.headers.etag);

      const mine = await change(matching(`"other", W/${now.headers.etag ?? ''}`));
      expect(mine.status, mine.text).to.equal(200);
      expect(mine.headers.etag).to.equal((await server.get(path, alice())).headers.etag);
      expect((await change(matching('*'))).status).to.equal(200);
    });
  }

  it('lets exactly one of two changes through that were made of the same version at the same time', async () => {
    const { headers } = await server.post('/api/projects', { name: 'contested' }, alice());
    const path = headers.location ?? '';
    const { id, etag } = await keyWithTag();
    for (const [at, tag] of [
      [path, headers.etag],
      [`/api/api-keys/${id}`, etag],
    ] as const) {
      const answers = await Promise.all(['a', 'b', 'c'].map(async (name) => server.patch(at, { name }, matching(tag))));
      expect(answers.map(({ status }) => status).sort(), at).to.deep.equal([200, 412, 412]);
    }
  });

  it('keeps a key from being revoked, and a record from being deleted, that somebody has changed', async () => {
    const { id, key, etag } = await keyWithTag();
    await server.patch(`/api/api-keys/${id}`, { name: 'changed' }, alice());
    for (const answer of [
      await server.delete(`/api/api-keys/${id}`, matching(etag)),
      await server.post(`/api/api-keys/${id}/revoke`, {}, matching(etag)),
    ]) {
      refusal(answer, 412, 'changed_meanwhile');
    }
    expect(await tried(server, key)).to.equal('200');
    const { headers } = await server.post('/api/projects', { name: 'kept' }, alice());
    const path = headers.location ?? '';
    await server.patch(path, { name: 'changed' }, alice());
    refusal(await server.delete(path, matching(headers.etag)), 412, 'changed_meanwhile');
    expect((await server.get(path, alice())).status).to.equal(200);
  });

  it('takes no notice of what a key is used for, and of what its list shows', async () => {
    const { id, key, etag } = await keyWithTag();
    expect(await tried(server, key)).to.equal('200');
    const { headers, body } = await server.get(`/api/api-keys/${id}`, alice());
    expect((body as { lastUsedAt: string | null }).lastUsedAt).to.be.a('string');
    expect(headers.etag).to.equal(etag);
    expect((await server.get('/api/api-keys', alice())).headers.etag).to.equal(undefined);
  });

  it('is refused with 400 where the header is no list of entity tags', async () => {
    const { id } = await keyWithTag();
    for (const header of ['', 'abc', '"a', '"a" "b"', '"a",']) {
      const answer = await server.patch(`/api/api-keys/${id}`, { name: 'x' }, matching(header));
      refusal(answer, 400, 'bad_request');
    }
  });

  it('is taken by every PATCH and PUT of the API', () => {
    const { table } = createRoutes(server.services);
    const without = table.filter(({ method, path, ifMatch }) => {
      return path.startsWith('/api/') && ['PATCH', 'PUT'].includes(method) && !ifMatch;
    });
    expect(without.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([]);
  });

  async function keyWithTag(): Promise<{ id: string; key: string; etag: string | undefined }> {
    const { body, headers } = await server.post('/api/api-keys', { name: 'a key' }, alice());
    return { ...(body as { id: string; key: string }), etag: headers.etag };
  }
});

interface Versioned {
  path: string;
  change: (headers: Headers) => Promise<Answer>;
  meanwhile: object;
  method?: string;
}
