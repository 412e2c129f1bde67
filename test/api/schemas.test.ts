import { expect } from 'chai';
import fc from '../support/properties.ts';
import { z } from 'zod';
import { createRoutes } from '../../app/routes.ts';
import type { Route } from '../../app/http/table.ts';
import { addPlayer, as } from '../support/cast.ts';
import { onDatabase, onEachDatabase } from '../support/databases.ts';
import { broken, valid, type Schema } from '../support/fromSchema.ts';
import type { Headers } from '../support/http.ts';
import { refusal } from '../support/keys.ts';
import type { TestServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

const RUNS = process.env.TEST_LONG ? 60 : 6;
const LONGEST_MS = 10_000 * RUNS;
/** What is stored under its own name, so that it can be looked for in the answer. */
const KEPT = [
  ...'projects inventory products orders customers files notifications activity webhooks'.split(' '),
].concat('modules development dashboard docs builder/draft security-center/settings settings'.split(' '));

onEachDatabase('what the document allows', (database) => {
  const { server, alice } = useServer(database);
  let headers: Headers;

  before(() => {
    headers = as(alice);
  });

  it('is accepted, and comes back the same', async function () {
    this.timeout(LONGEST_MS);
    const taken = new Set<string>();
    for (const route of bodiesOf(routesOf(server))) {
      const name = nameOf(route);
      if (!KEPT.includes(name)) continue;
      taken.add(name);
      const path = await pathOf(route);
      await everywhere(valid(narrowed(schemaOf(route))), async (value) => {
        const answer = await server.send(route.method, path, { headers, json: value });
        expect(answer.status, at(route, value) + answer.text).to.be.oneOf([200, 201]);
        expect(answer.body, at(route, value)).to.deep.include(value);
      });
    }
    expect([...taken]).to.have.members(KEPT);
  });

  async function pathOf(route: Route): Promise<string> {
    if (!route.path.includes(':id')) return route.path;
    const one = { name: 'one', ...(nameOf(route) === 'webhooks' && { url: 'https://example.com' }) };
    const { body } = await server.post(`/api/${nameOf(route)}`, one, headers);
    return route.path.replace(':id', (body as { id: string }).id);
  }
});

// On one of the databases, for none of this ever gets there.
onDatabase('sqlite', 'what the document does not allow', (database) => {
  const { server, acme } = useServer(database);
  let headers: Headers;
  let routes: Route[];

  before(async () => {
    headers = as(await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true }));
    routes = routesOf(server);
  });

  it('in a body is 422 and names the field', async function () {
    this.timeout(LONGEST_MS);
    const asked = bodiesOf(routes);
    expect(asked.length).to.be.greaterThan(30);
    for (const route of asked) {
      await everywhere(broken(schemaOf(route)), async ({ value, path }) => {
        const answer = await server.send(route.method, addressOf(route), { headers, json: value });
        expect(refusal(answer, 422, 'invalid_input'), at(route, value)).to.include(path.join('.'));
      });
    }
  });

  it('in a query is 400 and names the parameter', async () => {
    const asked = routes.filter(({ input }) => input?.from === 'query');
    expect(asked.length).to.be.greaterThan(20);
    for (const route of asked) {
      // Behind an id, whose thing is looked for first, a cursor is nobody's business.
      const isList = !route.path.includes(':');
      const known = Object.keys(schemaOf(route).properties ?? {}).filter((name) => name !== 'cursor' || isList);
      const unknown = ['tenantId=x', '__proto__=x', 'constructor=x'];
      const repeated = known.map((name) => `${name}=1&${name}=1`);
      const wrong = known.flatMap((name) => (WRONG[name] ?? []).map((value) => `${name}=${value}`));
      for (const asking of [...unknown, ...repeated, ...wrong]) {
        const answer = await server.get(`${addressOf(route)}?${asking}`, headers);
        const name = asking.replace(/=.*/, '');
        expect(refusal(answer, 400, 'invalid_query'), `${route.path}?${asking}`).to.include(name);
      }
    }
  });
});

const NOBODY = '01890000-0000-7000-8000-000000000000';

/** Values that no list takes, by the name of the parameter. */
const WRONG: Record<string, string[]> = {
  limit: ['', '0', '-1', '1.5', 'abc', '501', '1e1', '%D9%A3'],
  cursor: ['', 'x', 'AAAA', '%00'],
  status: ['', 'no-such-status', '%00'],
  q: ['%00', 'x%1by', 'x'.repeat(101)],
};

function routesOf({ services }: TestServer): Route[] {
  const { table } = createRoutes(services);
  // Each route once: what stands below /api/v1 is the same, and pages are not for programs.
  return table.filter(({ path, access }) => /^\/api\/(?!v1\/)/.test(path) && access.kind !== 'public');
}

function nameOf({ path }: Route): string {
  return path.replace('/api/', '').replace('/:id', '');
}

function addressOf({ path }: Route): string {
  return path.replace(/:\w+/g, NOBODY);
}

/** A document cannot say what a scope or a network is: these are some. */
function narrowed(schema: Schema): Schema {
  const { defaultScopes, allowedNetworks, ...others } = schema.properties ?? {};
  return {
    ...schema,
    properties: {
      ...others,
      ...(defaultScopes && { defaultScopes: { ...defaultScopes, enum: [['read'], ['projects:write', 'docs:*']] } }),
      ...(allowedNetworks && { allowedNetworks: { ...allowedNetworks, enum: [[], ['10.0.0.0/8', '2001:db8::1']] } }),
    },
  };
}

/**
 * The routes that take a body, but for those that are asked badly by tests of their own: what verifies keys takes any text as
 * one, and too many forward-auth rules are a body that is too large.
 */
function bodiesOf(routes: readonly Route[]): Route[] {
  return routes.filter(({ input, path }) => input?.from === 'body' && !/\/keys\/verify|\/forward-auth\//.test(path));
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
