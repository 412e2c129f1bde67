import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { requestId, runOnce } from '../../app/http/idempotency.ts';
import { addPlayer, as, castOf, PASSWORD, type Cast, type Part, type Player } from '../support/cast.ts';
import { Contract, type Operation } from '../support/contract.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers, Sending } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long password' };
const NOTHING = '01890000-0000-7000-8000-000000000000';
const TOO_LONG = JSON.stringify({ name: 'x'.repeat(70_000) });

onEachDatabase('every documented operation', (database) => {
  let server: TestServer;
  let cast: Cast;
  let contract: Contract;
  let powerless: string;
  let requests = 0;
  let members = 0;
  const keys = new Map<string, string>();
  /** The scope of the operations that ask for one. */
  const access = new Map<string, string>();

  /** What is sent where the example of the document cannot know who is there. */
  const bodies: Record<string, () => Promise<unknown>> = {
    'POST /auth/login': async () => ({ email: cast.alice.email, password: PASSWORD }),
    // Other operations go on granting the scopes that there are.
    'PUT /scopes': async () => (await server.get('/api/scopes', as(await theOperator()))).body,
    'POST /members/invitations': async () => ({ email: `somebody${++members}@acme.example` }),
    'POST /marketplace/install': async () => {
      await server.post('/api/marketplace/cli/uninstall', undefined, as(cast.alice));
      return { app: 'cli' };
    },
  };

  /** Who asks where neither an owner nor a key with the scope would get a good answer. */
  const callers: Record<string, () => Promise<Headers>> = {
    'DELETE /membership': async () => as(await newMember()),
    'POST /self/revoke': async () => ({ ...(await keyToEnd()), 'x-tenant-id': cast.acme.id }),
    'GET /scopes': async () => as(await theOperator()),
    'PUT /scopes': async () => as(await theOperator()),
    'PATCH /users/{id}': async () => as(await theOperator()),
  };

  /** How to make what is not made by a POST to its own list. */
  const things: Record<string, () => Promise<string>> = {
    '/billing/checkouts': async () => order('business'),
    '/builder/drafts': async () => made('POST /builder/draft'),
    '/marketplace': async () => 'cli',
    '/members': async () => (await newMember()).id,
    '/users': async () => (await newMember()).id,
  };

  /** How to bring about what an operation refuses because of the state of things. */
  const conflicts: Record<string, (operation: Operation) => Promise<Answer>> = {
    'POST /api-keys': async (operation) => {
      await putOn('starter');
      const answer = await send(operation, { path: operation.path, headers: as(cast.alice), json: { name: 'extra' } });
      await putOn('free');
      return answer;
    },
    'POST /api-keys/import': async (operation) => {
      await putOn('starter');
      const key = { name: 'extra', hash: createHash('sha256').update(operation.path).digest('hex') };
      const answer = await on(operation, '', key);
      await putOn('free');
      return answer;
    },
    'PATCH /api-keys/{id}': async (operation) => onRevokedKey(operation, { name: 'late' }),
    'POST /api-keys/{id}/pause': async (operation) => onRevokedKey(operation),
    'POST /api-keys/{id}/resume': async (operation) => onRevokedKey(operation),
    'POST /api-keys/{id}/rotate': async (operation) => {
      const { id } = await issue(server, as(cast.alice));
      await on(operation, id, { gracePeriodSeconds: 60 });
      return on(operation, id, { gracePeriodSeconds: 60 });
    },
    'POST /billing/checkout': async (operation) => {
      await on(operation, '', { plan: 'pro', reference: 'mine' });
      return on(operation, '', { plan: 'business', reference: 'mine' });
    },
    'POST /billing/checkouts/{id}/confirm': async (operation) => {
      const id = await order('pro');
      await order('business');
      return on(operation, id);
    },
    'POST /billing/checkouts/{id}/withdraw': async (operation) => {
      const id = await order('pro');
      await server.post(`/api/billing/checkouts/${id}/confirm`, {}, as(cast.alice));
      const answer = await on(operation, id);
      await putOn('free');
      return answer;
    },
    'POST /marketplace/install': async (operation) => {
      await on(operation, '', { app: 'cli' });
      return on(operation, '', { app: 'cli' });
    },
    'POST /members/invitations': async (operation) => on(operation, '', { email: cast.bob.email }),
    'DELETE /membership': async (operation) => on(operation, '', undefined, cast.charlie),
    'PATCH /members/{id}': async (operation) => on(operation, cast.charlie.id, { role: 'MEMBER' }, cast.charlie),
    'DELETE /members/{id}': async (operation) => on(operation, cast.charlie.id, undefined, cast.charlie),
    'PATCH /users/{id}': async (operation) => {
      const { id } = await theOperator();
      return on(operation, id, { status: 'disabled' }, await theOperator());
    },
    'PUT /scopes': async (operation) => {
      await issue(server, as(cast.alice), { scopes: ['files:read'] });
      return on(operation, '', { scopes: [] }, await theOperator());
    },
    'POST /tenants': async (operation) => on(operation, '', { name: 'x', slug: cast.globex.slug }, await theOperator()),
    'PATCH /tenants/{id}': async (operation) =>
      on(operation, cast.acme.id, { slug: cast.globex.slug }, await theOperator()),
    'PATCH /settings': async (operation) => on(operation, '', { slug: cast.globex.slug }),
    'POST /support/tickets/{id}/messages': async (operation) => onClosedTicket(operation),
    'POST /support/tickets/{id}/answer': async (operation) => onClosedTicket(operation),
  };
  let operator: Player | undefined;
  let operators: Headers;

  async function on(operation: Operation, id: string, json?: unknown, player = cast.alice): Promise<Answer> {
    return send(operation, { path: filled(operation.path, id), headers: as(player), json });
  }

  async function onClosedTicket(operation: Operation): Promise<Answer> {
    const id = await made('POST /support/tickets');
    await server.post(`/api/support/tickets/${id}/close`, {}, as(cast.alice));
    return on(operation, id, operation.body?.example);
  }

  before(async () => {
    server = await startServer(database.env(), STAFF);
    cast = await castOf(server);
    contract = new Contract((await server.get('/openapi.json')).body, (operation) => !isForProxies(operation));
    const { data } = (await server.get('/api/admin/routes', as(cast.alice))).body as { data: Row[] };
    for (const { method, path, access: kind, scope } of data) {
      if (kind === 'scope' && scope !== undefined) access.set(`${method} ${path.replace(/:(\w+)/g, '{$1}')}`, scope);
    }
    operators = as(await theOperator());
    powerless = (await issue(server, as(cast.alice), { scopes: ['api-keys:read'] })).key;
  });
  after(async () => server.stop().catch(() => undefined));

  it('takes its own example, with just the scope it names, and answers as documented', async () => {
    await each(async (operation) => {
      const answer = await send(operation, await wellDone(operation));
      expect(answer.status, `${at(operation)} ${answer.text}`).to.be.within(200, 299);
      if (answer.status === 201) await expectMadeThere(operation, answer);
      return [answer];
    });
  });

  it('answers without content whoever has what it would send, as documented', async () => {
    await each(async (operation) => {
      if (!operation.responses.has(304)) return [];
      const { headers } = await send(operation, { path: operation.path });
      return [await send(operation, { path: operation.path, headers: { 'If-None-Match': headers.etag ?? '' } })];
    });
  });

  it('refuses the wrong credential as documented', async () => {
    await each(async (operation) => {
      if (isOpen(operation)) return operation.name === 'POST /auth/login' ? [await wrongLogin(operation)] : [];
      const { path } = operation;
      const json = operation.body?.example;
      const ask = async (headers: Headers) => send(operation, { path: filled(path, NOTHING), headers, json });
      if (isForStaff(operation)) {
        const twice = { Authorization: [basic('staff', 'a'), basic('staff', 'b')] };
        return [await ask({}), await ask(staff('wrong')), await ask(twice)];
      }
      const tenant = { 'x-tenant-id': cast.acme.slug };
      const key = operation.name === 'POST /self/revoke' ? await keyToEnd() : { 'x-api-key': powerless };
      const answers = [
        await ask(tenant),
        await ask({ ...tenant, 'x-api-key': 'no key' }),
        await ask({ ...tenant, Authorization: 'Bearer no.token' }),
        await ask({ ...tenant, ...key, Authorization: `ApiKey ${powerless}` }),
        await ask({ ...key, 'x-tenant-id': cast.globex.slug }),
      ];
      const unauthorised = await ask({ ...tenant, ...key });
      if (scopesOf(operation) !== undefined) expect(unauthorised.status, at(operation)).to.equal(403);
      if (path.startsWith('/api/v1/')) return [...answers, unauthorised];
      return [...answers, unauthorised, await ask(key)];
    });
  });

  it('refuses people who may not as documented', async () => {
    await each(async (operation) => {
      if (isOpen(operation) || isForStaff(operation)) return [];
      const { path, body, name } = operation;
      // Everybody may leave, and Bob is wanted still.
      if (name === 'DELETE /membership') return [];
      return [await send(operation, { path: filled(path, NOTHING), headers: as(cast.bob), json: body?.example })];
    });
  });

  it('refuses bad input as documented', async () => {
    await each(async (operation) => {
      const { path, body, hasQuery } = operation;
      const isOperators = access.get(at(operation))?.startsWith('platform:');
      const headers = isOperators ? as(await theOperator()) : headersFor(operation);
      const to = filled(path, NOTHING);
      const answers: Answer[] = [];
      const ask = async (sending: Sending & { path?: string }) =>
        answers.push(await send(operation, { path: to, ...sending, headers: { ...headers, ...sending.headers } }));
      if (body?.kind === 'lines') {
        await ask({ body: '{}', headers: { 'Content-Type': 'application/json' } });
        await ask({ body: TOO_LONG.repeat(80), headers: { 'Content-Type': 'text/csv' } });
        await ask({ body: 'a,"b', headers: { 'Content-Type': 'text/csv' } });
        expect(
          answers.map(({ status }) => status),
          at(operation),
        ).to.deep.equal([415, 413, 400]);
      } else if (body?.kind === 'form') {
        await ask({ json: {} });
        await ask({ json: { token: TOO_LONG } });
        await ask({ body: '{}', headers: { 'Content-Type': 'application/json' } });
        expect(
          answers.map(({ status }) => status),
          at(operation),
        ).to.deep.equal([400, 413, 415]);
      } else if (body) {
        const type = { 'Content-Type': 'application/json' };
        await ask({ body: '{', headers: type });
        await ask({ body: '{}', headers: { 'Content-Type': 'text/plain' } });
        await ask({ body: TOO_LONG, headers: type });
        await ask({ json: { ...(body.example as object), 'a field of nobody': 1 } });
        expect(
          answers.map(({ status }) => status),
          at(operation),
        ).to.deep.equal([400, 415, 413, 422]);
      }
      if (hasQuery) {
        const before = answers.length;
        await ask({ path: `${to}?nobody=1` });
        await ask({ path: `${to}?limit=1&limit=1` });
        expect(
          answers.slice(before).map(({ status }) => status),
          at(operation),
        ).to.deep.equal([400, 400]);
      }
      return answers;
    });
  });

  it('finds nothing where there is nothing, as documented', async () => {
    await each(async (operation) => {
      if (!operation.path.includes('{')) return [];
      const json = operation.body?.example;
      const answer = await send(operation, {
        path: filled(operation.path, NOTHING),
        headers: headersFor(operation),
        json,
      });
      expect(answer.status, at(operation)).to.equal(404);
      return [answer];
    });
  });

  it('refuses what the state of things forbids as documented', async () => {
    await each(async (operation) => {
      const provoke = conflicts[operation.name];
      return provoke ? [await provoke(operation)] : [];
    });
  });

  it('refuses to change what has another version than the caller has seen, as documented', async () => {
    await each(async (operation) => {
      if (!operation.responses.has(412)) return [];
      const request = await wellDone(operation);
      return [await send(operation, { ...request, headers: { ...request.headers, 'If-Match': '"another"' } })];
    });
  });

  it('answers the same request again, and refuses another one of the same name, as documented', async () => {
    await each(async (operation) => {
      if (!operation.isIdempotent) return [];
      const request = await wellDone(operation);
      const name = at(operation);
      const ask = async (more: object = {}, named = name) =>
        send(operation, {
          ...request,
          headers: { ...request.headers, 'Idempotency-Key': named },
          json: { ...(request.json as object), ...more },
        });
      const [first, again] = [await ask(), await ask()];
      expect([first.status, first.headers['idempotency-replayed']], at(operation)).to.deep.equal([
        again.status,
        undefined,
      ]);
      expect(again.headers['idempotency-replayed'], at(operation)).to.equal('true');
      for (const header of ['location', 'etag'] as const) expect(again.headers[header]).to.equal(first.headers[header]);
      const { message, ...shown } = again.body as { message?: string };
      // A notification has a message of its own.
      if (message === (first.body as { message?: string }).message) {
        expect(again.body, at(operation)).to.deep.equal(first.body);
      } else {
        expect(first.body, at(operation)).to.deep.include(shown);
        expect(message, at(operation)).to.match(/kept nowhere: .* to get a new/);
      }
      const other = await ask({ another: 1 });
      expect((other.body as { code: string }).code, at(operation)).to.equal('idempotency_mismatch');
      return [
        first,
        again,
        other,
        await whileUnderWay(request.headers ?? {}, `${name} held`, async (named) => ask({}, named)),
      ];
    });
  });

  it('is not there for support staff where there are none, as documented', async () => {
    const other = await startServer(database.env());
    try {
      await each(async ({ name }) => (name === 'GET /metrics' ? [await other.get('/metrics')] : []));
    } finally {
      await other.stop();
    }
  });

  it('refuses a method that its address does not take, and says which it takes', async () => {
    const methods = new Map<string, string[]>();
    for (const { path, method } of contract.operations) methods.set(path, [...(methods.get(path) ?? []), method]);
    for (const [path, own] of methods) {
      // `/members/invitations` is also what `/members/{id}` looks like.
      const alike = [...methods].filter(([other]) => matches(other, path)).flatMap(([, others]) => others);
      const taken = [...new Set([...own, ...alike])];
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !taken.includes(one))) {
        const answer = await server.send(method, filled(path, NOTHING));
        expect([answer.status, (answer.body as { code: string }).code], `${method} ${path}`).to.deep.equal([
          405,
          'method_not_allowed',
        ]);
        const allowed = String(answer.headers.allow)
          .split(', ')
          .filter((one) => one !== 'HEAD');
        expect(allowed, path).to.have.members(taken);
      }
    }
  });

  it('refuses too many requests as documented', async () => {
    const limits = { PERSON_LIMIT: '1/3600', ADDRESS_LIMIT: '1/3600', LOGIN_LIMIT: '1/3600' };
    const strict = await startServer(database.env(), { ...STAFF, ...limits });
    try {
      await each(async (operation) => {
        if (!operation.responses.has(429)) return [];
        const path = filled(operation.path, NOTHING);
        const headers = isForStaff(operation) ? staff('wrong') : as(cast.alice);
        let answer = await strict.send(operation.method, path, { headers });
        if (answer.status !== 429) answer = await strict.send(operation.method, path, { headers });
        expect(answer.status, at(operation)).to.equal(429);
        return [answer];
      });
    } finally {
      await strict.stop();
    }
  });

  it('says that it cannot answer without its database, as documented', async () => {
    await server.services.close();
    await each(async (operation) => {
      if (!operation.responses.has(503)) return [];
      const { path, body, name } = operation;
      const headers = headersFor(operation);
      // Nobody asks the database about a text that is no key.
      const json = name === 'POST /keys/report-leak' ? { keys: [powerless] } : body?.example;
      const answer = await send(operation, { path: filled(path, NOTHING), headers, json });
      expect(answer.status, at(operation)).to.equal(503);
      return [answer];
    });
  });

  it('has shown every answer that is documented, but for faults of ours', function () {
    const unseen = contract.unseen().filter((one) => !one.endsWith(' 500'));
    expect(unseen).to.deep.equal([]);
    const { test } = this;
    const count = `${contract.operations.length} operations × statuses = ${contract.seen} answers`;
    if (test) test.title += `: ${count}, ${requests} requests`;
  });

  /** Goes through the operations and says at once of all of them what was not as documented. */
  async function each(visit: (operation: Operation) => Promise<Answer[]>): Promise<void> {
    const problems: string[] = [];
    for (const operation of contract.operations) {
      for (const answer of await visit(operation)) {
        const problem = contract.problem(operation, answer);
        if (problem !== undefined) problems.push(`${at(operation)}: ${problem}`);
      }
    }
    expect(problems).to.deep.equal([]);
  }

  async function send(operation: Operation, { path, headers, json, body }: Request): Promise<Answer> {
    requests += 1;
    const { method } = operation;
    if (operation.body?.kind === 'lines' && json !== undefined) {
      const lines = { ...headers, 'Content-Type': 'application/x-ndjson' };
      return server.send(method, path, { headers: lines, body: JSON.stringify(json) });
    }
    if (operation.body?.kind === 'form' && json !== undefined) {
      const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' };
      return server.send(method, path, {
        headers: form,
        body: new URLSearchParams(json as Record<string, string>).toString(),
      });
    }
    return server.send(method, path, { ...(headers && { headers }), json, ...(body !== undefined && { body }) });
  }

  /** What a request is answered while another one of the same name and caller goes on. */
  async function whileUnderWay(
    headers: Headers,
    name: string,
    ask: (name: string) => Promise<Answer>,
  ): Promise<Answer> {
    const { id, tenant } = (await server.get('/api/whoami', headers)).body as { id: string; tenant: { id: string } };
    const request = { id: requestId(tenant.id, id, name), contentHash: Buffer.alloc(32) };
    const answers: Answer[] = [];
    const run = async () => void answers.push(await ask(name));
    await runOnce(server.services.db, request, { run, replay: run });
    expect(
      answers.map((answer) => answer.headers['retry-after']),
      name,
    ).to.deep.equal(['1']);
    return answers[0] as Answer;
  }

  /** What was made is found at its Location, below the prefix that the request came by. */
  async function expectMadeThere(operation: Operation, { headers, body }: Answer): Promise<void> {
    const { path } = operation;
    const { location = '' } = headers;
    expect(location.startsWith('/api/v1/'), `${path} leads to ${location}`).to.equal(path.startsWith('/api/v1/'));
    const found = await server.get(location, headersFor(operation));
    expect(found.status, `${location} of POST ${path}`).to.equal(200);
    expect(found.text).to.include((body as { id: string }).id);
  }

  /** A request that is right in every way, made with the least that it takes. */
  async function wellDone(operation: Operation): Promise<Request> {
    const { path, name, body } = operation;
    const scope = access.get(at(operation));
    const byScope = async () => (scope === undefined ? headersFor(operation) : keyWith(operation, scope));
    const headers = await (callers[name] ?? byScope)();
    const json = (await bodies[name]?.()) ?? body?.example;
    return { path: await onSomething(path), headers, json };
  }

  async function keyToEnd(): Promise<Headers> {
    const { key } = await issue(server, as(cast.alice), { scopes: ['api-keys:read'] });
    return { 'x-api-key': key };
  }

  async function onRevokedKey(operation: Operation, json: object = {}): Promise<Answer> {
    const { id } = await issue(server, as(cast.alice));
    await server.post(`/api/api-keys/${id}/revoke`, undefined, as(cast.alice));
    return on(operation, id, json);
  }

  async function keyWith({ name }: Operation, scope: string): Promise<Headers> {
    // An app is installed only by who could do what it does.
    const scopes = name.includes('/marketplace/') ? [scope, 'read'] : [scope];
    const known =
      keys.get(scopes.join(' ')) ??
      (await issue(server, isOfPlatform(scope) ? operators : as(cast.alice), { scopes })).key;
    keys.set(scopes.join(' '), known);
    return { 'x-api-key': known, 'x-tenant-id': cast.acme.id };
  }

  /** The path with the id of something that was made for it. */
  async function onSomething(path: string): Promise<string> {
    const [, collection = '', parameter] = /^(.*?)\/\{(\w+)\}/.exec(path) ?? [];
    if (parameter === undefined) return path;
    const name = collection.replace(/^\/api(\/v1)?(?=\/)/, '');
    const make = things[name] ?? (async () => made(`POST ${name}`));
    return filled(path, await make());
  }

  /** The id of what an operation makes of its example. */
  async function made(name: string, json?: unknown): Promise<string> {
    const operation = contract.operations.find((one) => one.name === name);
    if (!operation) throw new Error(`Nothing says how to make what ${name} is about`);
    const { path, body } = operation;
    const answer = await send(operation, { path, headers: headersFor(operation), json: json ?? body?.example });
    expect(answer.status, `${name} ${answer.text}`).to.equal(201);
    return (answer.body as { id: string }).id;
  }

  async function order(plan: string): Promise<string> {
    await putOn('free');
    return made('POST /billing/checkout', { plan });
  }

  async function putOn(plan: string): Promise<void> {
    await server.services.db('tenants').where({ id: cast.acme.id }).update({ plan });
  }

  async function theOperator(): Promise<Player> {
    return (operator ??= await newMember({ role: 'OWNER', operator: true }));
  }

  async function newMember(part: Part = { role: 'MEMBER' }): Promise<Player> {
    members += 1;
    return addPlayer(server.services, cast.acme, `Member${members}`, part);
  }

  async function wrongLogin(operation: Operation): Promise<Answer> {
    return send(operation, { path: operation.path, json: { email: cast.alice.email, password: 'wrong' } });
  }

  function headersFor(operation: Operation): Headers {
    if (isOpen(operation)) return {};
    if (isOfPlatform(access.get(at(operation)))) return operators;
    return isForStaff(operation) ? staff(STAFF.ADMIN_PASSWORD) : as(cast.alice);
  }
});

interface Row {
  method: string;
  path: string;
  access: string;
  scope?: string;
}

type Request = Sending & { path: string };

function at({ method, path }: Operation): string {
  return `${method} ${path}`;
}

function matches(template: string, path: string): boolean {
  return !path.includes('{') && new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

function filled(path: string, id: string): string {
  return path.replace(/\{\w+\}/g, id);
}

function isOpen({ security }: Operation): boolean {
  return security.length === 0;
}

function isForStaff({ security }: Operation): boolean {
  return security.some((one) => 'BasicAuth' in one);
}

/** The scopes that a key has to hold; undefined where any will do, or none. */
function scopesOf({ security }: Operation): string[] | undefined {
  const scopes = security.find((one) => 'ApiKeyAuthorization' in one)?.ApiKeyAuthorization ?? [];
  return scopes.length > 0 ? scopes : undefined;
}

/** A scope that only an operator can give. */
function isOfPlatform(scope: string | undefined): boolean {
  return scope?.startsWith('platform:') ?? false;
}

/** Whether proxies ask it about requests of others, as test/openapi/contractOfProxies.test.ts does. */
function isForProxies({ path }: Operation): boolean {
  return path.startsWith('/forward-auth/');
}

function staff(password: string): Headers {
  return { Authorization: basic(STAFF.ADMIN_USER, password) };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
