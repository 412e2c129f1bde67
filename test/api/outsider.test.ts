import { expect } from 'chai';
import { createRoutes } from '../../app/routes.ts';
import type { Route } from '../../app/http/table.ts';
import { as, bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { useServer } from '../support/useServer.ts';

/** Bodies that would change something if the door were open. */
const BODIES: Record<string, unknown> = {
  POST: { name: 'taken over', app: 'cli' },
  PATCH: { name: 'taken over' },
  PUT: { name: 'taken over' },
};

onEachDatabase('an outsider', (database) => {
  const { server, ...cast } = useServer(database);
  let routes: Route[];
  let acmeIds: string[];
  let traces: string[];
  let charlieKey: string;

  before(async () => {
    routes = createRoutes(server.services).table.filter(isGuardedApi);
    const { acme, alice, bob, carol } = cast;
    const key = await issue(as(alice), 'the Acme deploy key', { owner: 'user' });
    await server.get('/api/v1/whoami', { 'x-api-key': key.key });
    charlieKey = (await issue(as(cast.charlie), 'skeleton', { scopes: ['*'] })).key;
    acmeIds = [key.id, alice.id, acme.id];
    traces = [
      ...acmeIds,
      acme.slug,
      acme.name,
      key.keyPrefix,
      'the Acme deploy key',
      alice.email,
      bob.email,
      carol.email,
    ];
  });

  const outsiders: Record<string, () => Headers> = {
    'with a token': () => bearer(cast.charlie),
    'with a key that may do everything': () => ({ 'x-api-key': charlieKey }),
  };

  for (const [how, headers] of Object.entries(outsiders)) {
    it(`${how} gets nothing out of any route in the name of Acme`, async () => {
      for (const route of routes) {
        for (const tenant of [cast.acme.id, cast.acme.slug]) {
          const answer = await ask(route, { ...headers(), 'x-tenant-id': tenant }, acmeIds[0]);
          expect(answer.status, at(route)).to.equal(403);
          expectNoTrace(answer, route, [tenant]);
        }
      }
    });

    it(`${how} finds none of Acme's things from their own tenant`, async () => {
      for (const route of routes) {
        for (const id of route.path.includes(':') ? acmeIds : ['']) {
          const answer = await ask(route, { ...headers(), 'x-tenant-id': cast.globex.id }, id);
          if (route.path.includes(':')) expect(answer.status, at(route)).to.be.within(400, 499);
          expectNoTrace(answer, route);
        }
      }
    });
  }

  it('has changed nothing of Acme', async () => {
    const { db } = server.services;
    expect(await db('api_keys').where({ tenant_id: cast.acme.id, name: 'taken over' }).first()).to.equal(undefined);
    const key = (await db('api_keys').where({ id: acmeIds[0] }).first()) as {
      revoked_at: unknown;
      successor_key_id: unknown;
    };
    expect([key.revoked_at, key.successor_key_id]).to.deep.equal([null, null]);
    const seen = await db('audit_logs').where({ tenant_id: cast.acme.id, actor_id: cast.charlie.id });
    expect(seen).to.deep.equal([]);
  });

  it('is told the same of a thing of Acme as of a thing that is not', async () => {
    const nothing = '01890000-0000-7000-8000-000000000000';
    for (const route of routes.filter(({ path }) => path.includes(':'))) {
      const theirs = await ask(route, as(cast.charlie), acmeIds[0]);
      const none = await ask(route, as(cast.charlie), nothing);
      expect(withoutId(theirs), at(route)).to.deep.equal(withoutId(none));
    }
  });

  async function issue(
    headers: Headers,
    name: string,
    more: object,
  ): Promise<{ id: string; key: string; keyPrefix: string }> {
    const answer = await server.post('/api/api-keys', { name, ...more }, headers);
    expect(answer.status, answer.text).to.equal(201);
    return answer.body as { id: string; key: string; keyPrefix: string };
  }

  async function ask({ method, path }: Route, headers: Headers, id = ''): Promise<Answer> {
    const body = BODIES[method];
    return server.send(method, path.replace(/:\w+/g, id), { headers, ...(body !== undefined && { json: body }) });
  }

  function expectNoTrace({ text }: Answer, route: Route, sent: string[] = []): void {
    for (const trace of traces.filter((one) => !sent.includes(one))) expect(text, at(route)).not.to.include(trace);
  }
});

/** Pages know their visitors by a session, which a token or key does not make. */
function isGuardedApi({ path, access }: Route): boolean {
  return path.startsWith('/api/') && access.kind !== 'public';
}

function at({ method, path }: Route): string {
  return `${method} ${path}`;
}

function withoutId({ status, body }: Answer): unknown {
  return { status, body: { ...(body as object), requestId: undefined } };
}
