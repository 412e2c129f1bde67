import { expect } from 'chai';
import { addMember } from '../../app/actions/people/addMember.ts';
import { systemContext } from '../../app/actions/actionContext.ts';
import { requestId } from '../../app/http/idempotency.ts';
import { createRoutes } from '../../app/routes.ts';
import { KEPT_MS, reserveIdempotentRequest } from '../../db/tables/idempotentRequests.ts';
import { prune } from '../../db/upkeep/prune.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase, untilSomebodyWaits } from '../support/databases.ts';
import type { Client, Headers } from '../support/http.ts';
import { auditOf, issue, keyOf, refusal, tried } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

/** Every POST of the API that makes nothing, and so takes no `Idempotency-Key`. */
const MAKE_NOTHING = [
  'POST /api-keys/:id/pause',
  'POST /api-keys/:id/resume',
  'POST /api-keys/:id/revoke',
  // An import makes each key once by its hash.
  'POST /api-keys/import',
  'POST /auth/login',
  'POST /billing/checkouts/:id/confirm',
  'POST /billing/checkouts/:id/withdraw',
  'POST /forward-auth/try',
  'POST /keys/report-leak',
  'POST /keys/verify',
  'POST /keys/verify-batch',
  'POST /marketplace/:app/uninstall',
  'POST /security-center/settings',
  'POST /self/revoke',
  'POST /support/tickets/:id/close',
];

onEachDatabase('a request with an Idempotency-Key', (database) => {
  const { server, ...cast } = useServer(database);
  const otherProcess = useServerWithoutCast(database);
  const alice = () => as(cast.alice);
  const named = (name: string, headers = alice()) => ({ ...headers, 'Idempotency-Key': name });
  const create = async (name: string, json: object, client: Client = server) =>
    client.post('/api/api-keys', json, named(name));

  it('is taken by every POST of the API that makes something', () => {
    const without = createRoutes(server.services).table.filter(
      ({ method, path, makes }) => method === 'POST' && path.startsWith('/api/') && !makes,
    );
    const names = without.map(({ method, path }) => `${method} ${path.replace(/^\/api(\/v1)?/, '')}`);
    expect([...new Set(names)].sort()).to.deep.equal(MAKE_NOTHING);
  });

  it('makes one thing of ten that are sent at once to two processes, and answers all that get through alike', async () => {
    const old = await issue(server, alice(), { name: 'Rotated ten times' });
    for (const [path, json, table] of [
      ['/api/api-keys', { name: 'Ten times' }, 'api_keys'],
      [`/api/api-keys/${old.id}/rotate`, { gracePeriodSeconds: 0 }, 'api_keys'],
      ['/api/projects', { name: 'Ten times' }, 'records'],
      ['/api/builder/draft', { name: 'Ten times' }, 'builder_draft_versions'],
    ] as const) {
      const before = await count(table);
      const answers = await Promise.all(
        Array.from({ length: 10 }, async (_, place) =>
          (place % 2 === 0 ? server : otherProcess).post(path, json, named(`ten of ${path}`)),
        ),
      );
      expect(await count(table), path).to.equal(before + 1);
      const good = answers.filter(({ status }) => status < 300);
      expect(good.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, path).to.equal(1);
      expect(new Set(good.map(({ body }) => (body as { id: string }).id)).size, path).to.equal(1);
      for (const answer of answers) if (answer.status >= 300) refusal(answer, 409, 'in_progress');
      const last = await otherProcess.post(path, json, named(`ten of ${path}`));
      expect([last.status, last.headers['idempotency-replayed']], path).to.deep.equal([good[0]?.status, 'true']);
    }
  });

  it('answers again what was made, without the text of the key, after that has been changed and revoked', async () => {
    const first = await create('again', { name: 'as it was' });
    const { key, ...made } = keyOf(first, 201);
    await server.patch(`/api/api-keys/${made.id}`, { name: 'changed' }, alice());
    await server.post(`/api/api-keys/${made.id}/revoke`, {}, alice());
    const { body, status, headers } = await create('again', { name: 'as it was' });
    expect([status, headers.location, headers.etag]).to.deep.equal([201, first.headers.location, first.headers.etag]);
    expect(body).to.deep.equal({
      ...made,
      message: 'The text of this key was shown once and is kept nowhere: rotate the key to get a new one.',
    });
    expect(key).to.match(/^fsk_live_/);
    expect(
      (await auditOf(server, alice(), made.id)).filter(({ action }) => action === 'API_KEY_CREATED'),
    ).to.have.length(1);
  });

  it('is refused with 422 where the name was given to another path, query or body, and not where only spaces differ', async () => {
    keyOf(await create('one', { name: 'one', scopes: ['read'] }), 201);
    for (const [path, json] of [
      ['/api/api-keys', { name: 'two', scopes: ['read'] }],
      ['/api/v1/api-keys', { name: 'one', scopes: ['read'] }],
      ['/api/projects', { name: 'one', scopes: ['read'] }],
      ['/api/api-keys?a=b', { name: 'one', scopes: ['read'] }],
    ] as const) {
      refusal(await server.post(path, json, named('one')), 422, 'idempotency_mismatch');
    }
    const headers = { ...named('one'), 'Content-Type': 'application/json' };
    const spaced = '{ "name" : "one",\n "scopes": ["read"] }';
    const answer = await server.send('POST', '/api/api-keys', { headers, body: spaced });
    expect(answer.headers['idempotency-replayed']).to.equal('true');
  });

  it('leaves the name free where it failed, whatever the reason', async () => {
    refusal(await create('second try', { name: '' }), 422, 'invalid_input');
    refusal(await create('second try', { name: 'x', expiresAt: '2000-01-01T00:00:00Z' }), 422, 'invalid_input');
    const { id } = await issue(server, alice());
    await server.post(`/api/api-keys/${id}/revoke`, {}, alice());
    refusal(await server.post(`/api/api-keys/${id}/rotate`, {}, named('second try')), 409, 'key_not_active');
    keyOf(await create('second try', { name: 'x' }), 201);
  });

  it('is of its caller and tenant alone', async () => {
    const made = async (headers: Headers) =>
      keyOf(await server.post('/api/projects', { name: 'mine' }, named('shared', headers)), 201).id;
    const { key } = await issue(server, alice(), { scopes: ['projects:write'] });
    await addMember(systemContext(server.services.db, cast.globex.id), cast.alice.id, { role: 'OWNER' });
    const callers = [
      alice(),
      as(cast.carol),
      { 'x-api-key': key, 'x-tenant-id': cast.acme.id },
      as(cast.alice, cast.globex),
    ];
    const ids: string[] = [];
    for (const headers of callers) ids.push(await made(headers));
    expect(new Set(ids).size).to.equal(callers.length);
    expect(await made(alice())).to.equal(ids[0]);
  });

  it('takes 1 to 255 printable ASCII characters, once', async () => {
    for (const name of ['', 'x'.repeat(256), 'caf\u00e9', 'tab\there', ['twice', 'twice']]) {
      const answer = await server.post('/api/projects', { name: 'x' }, { ...alice(), 'Idempotency-Key': name });
      refusal(answer, 400, 'invalid_idempotency_key');
    }
    for (const name of ['x'.repeat(255), ' ~"\'\\,']) {
      expect((await server.post('/api/projects', { name: 'x' }, named(name))).status).to.equal(201);
    }
  });

  it('is kept for 24 hours, after which its name is free, and pruned then', async () => {
    const { db, config } = server.services;
    const first = keyOf(await create('a day', { name: 'a day' }), 201);
    const age = async (by: number) => db('idempotent_requests').update({ created_at: db.raw('created_at - ?', [by]) });
    await age(KEPT_MS - 60_000);
    expect(await prune(db, config.database, Date.now())).to.include({ idempotent_requests: 0 });
    expect(keyOf(await create('a day', { name: 'a day' }), 201).id).to.equal(first.id);
    await age(60_001);
    expect(keyOf(await create('a day', { name: 'another day' }), 201).id).to.not.equal(first.id);
    const left = await count('idempotent_requests');
    expect(await prune(db, config.database, Date.now())).to.include({ idempotent_requests: left - 1 });
  });

  it('keeps no secret of what it made', async () => {
    const secrets = [
      keyOf(await create('secret', { name: 'secret' }), 201).key,
      (await server.post('/api/marketplace/install', { app: 'zapier' }, named('secret app'))).body,
      (await server.post('/api/members/invitations', { email: 'eve@acme.example' }, named('secret link'))).body,
    ].map((made) => (typeof made === 'string' ? made : secretIn(made)));
    const rows = JSON.stringify(await server.services.db('idempotent_requests').pluck('answer'));
    expect(rows).to.include('eve@acme.example');
    for (const secret of secrets) {
      expect(secret).to.match(/^[\w-]{30,}$/);
      expect(rows).to.not.include(secret);
    }
  });

  it('rotates a key once, and does not show the new text when the rotation is sent again', async () => {
    const { id, key } = await issue(server, alice());
    const rotate = async () => server.post(`/api/api-keys/${id}/rotate`, {}, named('rotation'));
    const next = keyOf(await rotate(), 200);
    const { body, text } = await rotate();
    expect(body).to.deep.include({ id: next.id, previousKeyId: id });
    expect(text).to.not.include(next.key);
    expect(await tried(server, key)).to.equal('401 key_revoked');
    expect(await tried(server, next.key)).to.equal('200');
  });

  if (database.kind === 'mysql') {
    it('waits for a process that is under way, is told to come again while that goes on, and makes it once that was killed', async () => {
      const { db } = server.services;
      const id = requestId(cast.acme.id, cast.alice.id, 'held');
      const killed = await db.transaction();
      await reserveIdempotentRequest(killed, { id, contentHash: Buffer.alloc(32) }, Date.now());
      const late = await create('held', { name: 'held' });
      refusal(late, 409, 'in_progress');
      expect(late.headers['retry-after']).to.equal('1');
      const waiting = create('held', { name: 'held' }, otherProcess);
      await untilSomebodyWaits(db);
      await killed.rollback();
      expect((await waiting).status).to.equal(201);
    });
  }

  async function count(table: string): Promise<number> {
    return (await server.services.db(table).pluck('created_at')).length;
  }
});

/** The text of the key, or the token of the link, in the first answer. */
function secretIn(body: unknown): string {
  const { key, url } = body as { key?: string; url?: string };
  return key ?? new URL(url ?? '').searchParams.get('token') ?? '';
}
