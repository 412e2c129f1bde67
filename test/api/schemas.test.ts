import { expect } from 'chai';
import fc from 'fast-check';
import { z } from 'zod';
import { createRoutes } from '../../app/routes/routes.ts';
import type { Route } from '../../app/routes/table.ts';
import { as, castOf } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { broken, valid, type Schema } from '../support/fromSchema.ts';
import type { Answer, Headers } from '../support/http.ts';
import { refusal } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const RUNS = 12;
const NOBODY = '01890000-0000-7000-8000-000000000000';

/** What is stored under its own name, so that it can be looked for in the answer. */
const KEPT = [
  ...'projects inventory products orders customers files notifications activity webhooks'.split(' '),
].concat('modules development dashboard docs builder/draft security-center/settings settings'.split(' '));

onEachDatabase('what the document says of a body', (database) => {
  let server: TestServer;
  let headers: Headers;
  let routes: Route[];

  before(async () => {
    server = await startServer(database.env());
    headers = as((await castOf(server)).alice);
    const { table } = createRoutes(server.services);
    routes = table.filter(({ path, access }) => !path.startsWith('/api/v1/') && access.kind !== 'public');
  });
  after(async () => server.stop());

  it('holds: what it allows is accepted and comes back the same', async () => {
    const taken = new Set<string>();
    for (const route of bodiesOf(routes)) {
      const name = route.path.replace('/api/', '').replace('/:id', '');
      if (!KEPT.includes(name)) continue;
      taken.add(name);
      const path = await pathOf(route, name);
      await everywhere(valid(schemaOf(route)), async (value) => {
        const answer = await server.send(route.method, path, { headers, json: value });
        expect(answer.status, `${route.method} ${path} ${JSON.stringify(value)}\n${answer.text}`).to.be.oneOf([
          200, 201,
        ]);
        expect(answer.body, `${route.method} ${path}`).to.deep.include(value as object);
      });
    }
    expect([...taken]).to.have.members(KEPT);
  });

  it('holds: what it does not allow is 422 and names the field', async () => {
    const asked = bodiesOf(routes);
    expect(asked.length).to.be.greaterThan(30);
    for (const route of asked) {
      const path = route.path.replace(/:\w+/g, NOBODY);
      await everywhere(broken(schemaOf(route)), async ({ value, path: field }) => {
        const answer = await server.send(route.method, path, { headers, json: value });
        expect(refusal(answer, 422, 'invalid_input'), at(route, value)).to.include(field.join('.'));
      });
    }
  });

  it('holds for queries: what it does not allow is 400 and names the parameter', async () => {
    const asked = routes.filter(({ input }) => input?.from === 'query');
    expect(asked.length).to.be.greaterThan(20);
    for (const route of asked) {
      const path = route.path.replace(/:\w+/g, NOBODY);
      const names = Object.keys(schemaOf(route).properties ?? {});
      const queries: [query: string, name: string][] = [
        ['tenantId=x', 'tenantId'],
        ['__proto__=x', '__proto__'],
        ...names.map((name): [string, string] => [`${name}=1&${name}=1`, name]),
        ...(names.includes('limit') ? ['', '0', '-1', '1.5', 'abc', '501', '1e1', '٣'] : []).map(
          (limit): [string, string] => [`limit=${encodeURIComponent(limit)}`, 'limit'],
        ),
        ...(names.includes('status') ? ['', 'no-such-status', '%00'] : []).map((status): [string, string] => [
          `status=${status}`,
          'status',
        ]),
        ...(names.includes('q') ? ['%00', 'x%00y', 'x'.repeat(101)] : []).map((q): [string, string] => [`q=${q}`, 'q']),
      ];
      for (const [query, name] of queries) {
        const answer = await server.get(`${path}?${query}`, headers);
        expect(refusal(answer, 400, 'invalid_query'), `${route.path}?${query}`).to.include(name);
      }
    }
  });

  async function pathOf({ path, method }: Route, name: string): Promise<string> {
    if (method !== 'PATCH' || !path.includes(':id')) return path;
    const made: Answer = await server.post(
      `/api/${name}`,
      { name: 'one', ...(name === 'webhooks' && { url: 'https://a.b' }) },
      headers,
    );
    return path.replace(':id', (made.body as { id: string }).id);
  }
});

function bodiesOf(routes: readonly Route[]): Route[] {
  return routes.filter(({ input }) => input?.from === 'body');
}

function schemaOf({ input }: Route): Schema {
  return z.toJSONSchema(input?.schema ?? z.never(), { io: 'input' }) as Schema;
}

async function everywhere<T>(values: fc.Arbitrary<T>, expectation: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, expectation), { numRuns: RUNS });
}

function at({ method, path }: Route, value: unknown): string {
  return `${method} ${path} ${JSON.stringify(value)}`;
}
