import { expect } from 'chai';
import { createLookup } from '../../app/auth/lookup.ts';
import { CHECKS, VERDICT_CODES, type TraceStep } from '../../app/auth/verifyKeys.ts';
import { mintKey } from '../../app/domain/token.ts';
import { openLookups } from '../../db/lookups.ts';
import { addPlayer, as, bearer, castOf, type Cast, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { issue, read, refusal, rotate, type Key } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface Verdict {
  valid: boolean;
  code: string;
  keyId?: string;
  rateLimit?: { limit: number; remaining: number; resetSeconds: number };
  quota?: { limit: number; remaining: number };
  missingScopes?: string[];
  trace?: TraceStep[];
}

interface Refusal {
  headers: Record<string, string>;
  problem: { requestId: string };
}

const VERIFY = '/api/v1/keys/verify';
const BATCH = '/api/v1/keys/verify-batch';
const DAY_MS = 86_400_000;
const unknown = () => mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key;

onEachDatabase('a key that another backend asks about', (database) => {
  let server: TestServer;
  let cast: Cast;
  let operator: Player;
  /** Makes keys of their own. */
  let kim: Player;
  /** The headers of a backend of Acme's, and of the product's own. */
  let acmes: Headers;
  let platforms: Headers;

  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
    operator = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    kim = await addPlayer(server.services, cast.acme, 'Kim', { role: 'ADMIN', permissions: ['api-keys:manage'] });
    acmes = { 'x-api-key': (await issue(server, as(cast.alice), { scopes: ['keys:verify'] })).key };
    platforms = { 'x-api-key': (await issue(server, as(operator), { scopes: ['platform:verify'] })).key };
  });
  after(async () => server.stop());

  const newKey = async (wish: object = {}, player = cast.alice) => issue(server, as(player), wish);
  const store = async ({ id }: Key, columns: object) => server.services.db('api_keys').where({ id }).update(columns);
  const tenant = async (columns: object) => server.services.db('tenants').where({ id: cast.acme.id }).update(columns);

  async function verify(question: object, headers = acmes): Promise<Verdict> {
    const { status, body, text } = await server.post(VERIFY, question, headers);
    expect(status, text).to.equal(200);
    const { refusal: told, ...verdict } = body as Verdict & { refusal?: Refusal };
    expect(told === undefined, 'a refusal where the key is not good').to.equal(verdict.valid);
    expect(VERDICT_CODES).to.include(verdict.code);
    expect(verdict.valid).to.equal(verdict.code === 'valid');
    return verdict;
  }

  async function codeOf(question: object, headers = acmes): Promise<string> {
    return (await verify(question, headers)).code;
  }

  it('is looked up in one query with its caller’s key and the catalogue of scopes', async () => {
    const { key } = await newKey();
    const questions = countQuestions(server);
    expect(await codeOf({ key, scopes: ['read'] })).to.equal('valid');
    expect(await questions.stop(), 'a question with two keys').to.deep.equal([2]);
  });

  it('is told to nobody whose own key is not good, however wrong the question', async () => {
    const { key } = await newKey();
    for (const question of [{ key }, { key: 7 }, { key, sopes: [] }, null, 'key']) {
      refusal(await server.post(VERIFY, question, { 'x-api-key': unknown() }), 401, 'invalid_key');
    }
  });

  it('is told with all that a backend needs', async () => {
    const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
    const wish = { name: 'shown', scopes: ['read'], externalId: 'c-1', metadata: { plan: 'é😀', seats: 3 }, expiresAt };
    const key = await newKey({ ...wish, rateLimit: { limit: 5, windowSeconds: 60 }, monthlyQuota: 9 });
    expect(await verify({ key: key.key })).to.deep.equal({
      valid: true,
      code: 'valid',
      keyId: key.id,
      tenantId: cast.acme.id,
      environment: 'live',
      ...wish,
      rateLimit: { limit: 5, remaining: 4, resetSeconds: 60 },
      quota: { limit: 9, remaining: 8 },
    });
  });

  it('is checked in the documented order: of many faults the first is told, and once mended the next', async () => {
    const limits = { rateLimit: { limit: 1, windowSeconds: 3600 }, monthlyQuota: 1 };
    const key = await newKey({ scopes: ['projects:read'], allowedIps: ['192.0.2.0/24'], ...limits });
    expect(await codeOf({ key: key.key })).to.equal('valid');
    await store(key, { revoked_at: 1, expires_at: 1 });
    const faulty = {
      key: `${key.key}x`,
      tenantId: cast.globex.slug,
      ip: '198.51.100.1',
      scopes: ['projects:read', 'orders:write'],
      anyScopes: ['files:read', 'files:write'],
    };
    const mended: [check: string, code: string, mend: (question: typeof faulty) => Promise<object>][] = [
      ['format', 'not_found', async (question) => ({ ...question, key: unknown() })],
      ['existence', 'not_found', async (question) => ({ ...question, key: key.key })],
      ['tenant', 'tenant_mismatch', async (question) => ({ ...question, tenantId: cast.acme.slug })],
      ['state', 'revoked', async (question) => (await store(key, { revoked_at: null }), question)],
      ['state', 'expired', async (question) => (await store(key, { expires_at: null }), question)],
      ['address', 'address_not_allowed', async (question) => ({ ...question, ip: '192.0.2.7' })],
      ['scopes', 'insufficient_scope', async (question) => ({ ...question, scopes: ['projects:read'] })],
      [
        'scopes',
        'insufficient_scope',
        async (question) => ({ ...question, anyScopes: ['files:read', 'projects:read'] }),
      ],
      ['limit', 'rate_limited', async (question) => (await store(key, { rate_limit: 9 }), question)],
      ['quota', 'quota_exceeded', async (question) => (await store(key, { monthly_quota: 9 }), question)],
    ];
    let question: object = faulty;
    for (const [check, code, mend] of mended) {
      expect(await codeOf(question, platforms), `asked for ${check}`).to.equal(code);
      const { trace = [], ...dry } = await verify({ ...question, dryRun: true }, platforms);
      expect([dry.code, trace.at(-1)?.check, trace.at(-1)?.outcome]).to.deep.equal([code, check, 'failed']);
      expect(trace.map((step) => step.check)).to.deep.equal(CHECKS.slice(0, CHECKS.indexOf(check as 'format') + 1));
      expect(trace.slice(0, -1).filter(({ outcome }) => outcome === 'failed')).to.deep.equal([]);
      question = await mend(question as typeof faulty);
    }
    expect(await codeOf(question, platforms)).to.equal('valid');
  });

  it('names the scopes that it does not open: those of all, and any of which one would do', async () => {
    const { key } = await newKey({ scopes: ['projects:write'] });
    const asked = async (question: object) => verify({ key, ...question });
    const of = async (question: object) => (await asked(question)).missingScopes;
    expect(
      await of({ scopes: ['projects:read', 'read:orders'], anyScopes: ['files:read', 'projects:write'] }),
    ).to.deep.equal(['read:orders']);
    expect(await of({ anyScopes: ['files:read', 'orders:read'] })).to.deep.equal(['files:read', 'orders:read']);
    expect((await asked({ scopes: ['projects:read'] })).valid).to.equal(true);
    const all = await newKey({ scopes: ['*'] });
    expect((await verify({ key: all.key, scopes: ['invoices:refund'] })).valid, 'a scope of no catalogue').to.equal(
      true,
    );
    const owned = await newKey({ scopes: ['admin:read'], owner: 'user' }, kim);
    expect(await codeOf({ key: owned.key, scopes: ['admin:read'] })).to.equal('valid');
    await server.services.db('memberships').where({ user_id: kim.id }).update({ role: 'MEMBER' });
    expect(await codeOf({ key: owned.key, scopes: ['admin:read'] }), 'no more than its person').to.equal(
      'insufficient_scope',
    );
  });

  it('is judged as a direct call is, whatever is wrong with it, and told with what that call is answered', async () => {
    const language = { 'Accept-Language': 'fr' };
    const direct = async ({ key }: Key) => server.get('/api/v1/whoami', { ...language, 'x-api-key': key });
    const both = async (key: Key, headers = platforms) => {
      const { status, headers: told, body } = await direct(key);
      const asked = await server.post(VERIFY, { key: key.key }, { ...headers, ...language });
      const { code, refusal: handedOn } = asked.body as Verdict & { refusal?: Refusal };
      if (status === 200) return ['valid', code];
      const problem = { ...(body as { code: string }), requestId: handedOn?.problem.requestId };
      expect(handedOn?.problem).to.deep.equal(problem).and.include({ status });
      for (const name of ['Content-Type', 'Cache-Control', 'WWW-Authenticate']) {
        expect(handedOn?.headers[name], name).to.equal(told[name.toLowerCase()]);
      }
      return [problem.code, code];
    };
    expect(await both({ ...(await newKey()), key: unknown() })).to.deep.equal(['invalid_key', 'not_found']);
    const key = await newKey({ owner: 'user', scopes: ['projects:read'] }, kim);
    expect(await both(key)).to.deep.equal(['valid', 'valid']);
    const members = server.services.db('users').where({ id: kim.id });
    await members.clone().update({ status: 'disabled' });
    expect(await both(key), 'of a disabled person').to.deep.equal(['key_revoked', 'revoked']);
    await members.clone().update({ status: 'active' });
    await tenant({ policy: JSON.stringify({ idleDays: 1 }) });
    const idle = await newKey();
    await store(idle, { created_at: 1, last_used_at: 1 });
    for (const time of ['once', 'and again, for asking is no use of it']) {
      expect(await both(idle), `unused too long, ${time}`).to.deep.equal(['key_expired', 'expired']);
      await server.services.usage.flush();
    }
    await tenant({ policy: null, status: 'suspended' });
    const fromElsewhere = await newKey({ scopes: ['keys:verify'] }, cast.charlie);
    expect(await codeOf({ key: key.key }, { 'x-api-key': fromElsewhere.key })).to.equal('not_found');
    const outside = await addPlayer(server.services, cast.globex, 'Oscar', { role: 'OWNER', operator: true });
    expect(await both(key, bearer(outside))).to.deep.equal(['tenant_suspended', 'paused']);
    await tenant({ status: 'active' });
    const old = await newKey();
    const next = await rotate(server, as(cast.alice), old.id, { gracePeriodSeconds: 60 });
    const { valid, ...told } = await verify({ key: old.key });
    expect([valid, (told as { expiresAt?: string }).expiresAt]).to.deep.equal([
      true,
      (await read(server, as(cast.alice), old.id)).graceEndsAt,
    ]);
    expect(await both(next)).to.deep.equal(['valid', 'valid']);
    await rotate(server, as(cast.alice), next.id);
    expect(await both(next)).to.deep.equal(['key_revoked', 'revoked']);
  });

  it('is checked against the networks of its tenant too, and against none where no address is told', async () => {
    const { key } = await newKey({ allowedIps: ['192.0.2.0/24', '2001:db8::/32'] });
    await tenant({ policy: JSON.stringify({ allowedNetworks: ['192.0.2.8/29', '2001:db8::/32', '127.0.0.0/8'] }) });
    const code = async (ip?: string) => codeOf({ key, ...(ip !== undefined && { ip }) });
    expect(
      await Promise.all(['192.0.2.7', '192.0.2.9', '::ffff:192.0.2.9', '2001:DB8::1', undefined].map(code)),
    ).to.deep.equal(['address_not_allowed', 'valid', 'valid', 'valid', 'valid']);
    await tenant({ policy: null });
  });

  it('is not found by a backend of another tenant, and leaves nothing in its own log', async () => {
    const theirs = await newKey({}, cast.charlie);
    const none = await verify({ key: unknown(), dryRun: true });
    expect(await verify({ key: theirs.key, dryRun: true })).to.deep.equal(none);
    expect(await verify({ key: theirs.key, tenantId: cast.globex.id })).to.deep.equal({
      valid: false,
      code: 'not_found',
    });
    expect((await read(server, as(cast.charlie), theirs.id)).lastUsedAt).to.equal(null);
    expect(await codeOf({ key: theirs.key }, platforms)).to.equal('valid');
    expect(await codeOf({ key: theirs.key, tenantId: cast.globex.id.toUpperCase() }, platforms)).to.equal('valid');
    const elsewhere = { key: theirs.key, tenantId: 'acme' };
    expect(await verify(elsewhere, platforms)).to.deep.equal({ valid: false, code: 'tenant_mismatch' });
    const { refusal: handedOn } = (await server.post(VERIFY, elsewhere, platforms)).body as { refusal: Refusal };
    expect(handedOn.problem, 'whoever showed it need not have sent x-tenant-id').to.include({
      detail: 'The API key belongs to another tenant.',
    });
  });

  it('is asked about by whose role or scope says so: everywhere by operators alone', async () => {
    const [ours, theirs] = [await newKey(), await newKey({}, cast.charlie)];
    expect(await codeOf({ key: ours.key }, bearer(cast.alice))).to.equal('valid');
    expect(await codeOf({ key: theirs.key }, bearer(cast.alice))).to.equal('not_found');
    expect(await codeOf({ key: theirs.key }, bearer(operator))).to.equal('valid');
    refusal(await server.post(VERIFY, { key: ours.key }, bearer(cast.bob)), 403, 'insufficient_scope');
    for (const scopes of [['read'], ['platform:tenants']]) {
      const caller = await newKey({ scopes }, operator);
      refusal(await server.post(VERIFY, { key: ours.key }, { 'x-api-key': caller.key }), 403, 'insufficient_scope');
    }
    const everything = await newKey({ scopes: ['*'] });
    expect(await codeOf({ key: theirs.key }, { 'x-api-key': everything.key })).to.equal('not_found');
  });

  it('shares its limit and its quota with its direct calls, each request at its cost', async () => {
    const { key, id } = await newKey({ rateLimit: { limit: 10, windowSeconds: 3600 }, monthlyQuota: 8 });
    const direct = async () => (await server.get('/api/v1/whoami', { 'x-api-key': key })).status;
    const left = async (cost: number) => {
      const { code, rateLimit, quota } = await verify({ key, cost });
      return [code, rateLimit?.remaining, quota?.remaining];
    };
    expect(await direct()).to.equal(200);
    expect(await left(3)).to.deep.equal(['valid', 6, 4]);
    expect(await left(7), 'more than the limit has left costs nothing').to.deep.equal(['rate_limited', 6, undefined]);
    expect(await left(5), 'what the quota refuses has cost the limit').to.deep.equal(['quota_exceeded', 1, 4]);
    expect(await left(1)).to.deep.equal(['valid', 0, 3]);
    expect(await direct()).to.equal(429);
    await store({ id } as Key, { rate_limit: null, rate_window_seconds: null });
    const { code, quota } = await verify({ key, cost: 3 });
    expect([code, quota?.remaining]).to.deep.equal(['valid', 0]);
    expect(await direct()).to.equal(429);
  });

  it('is only looked at by a dry run, which counts and records nothing', async () => {
    const { key, id } = await newKey({ rateLimit: { limit: 2, windowSeconds: 3600 }, monthlyQuota: 2 });
    const dry = async (cost = 1) => verify({ key, cost, dryRun: true, resource: 'dry' });
    for (const cost of [1, 2, 2, 2]) {
      const { code, rateLimit, quota, trace } = await dry(cost);
      expect([code, rateLimit?.remaining, quota?.remaining]).to.deep.equal(['valid', 2, 2]);
      expect(trace?.map(({ check }) => check)).to.deep.equal(CHECKS);
    }
    expect((await dry(3)).code).to.equal('rate_limited');
    expect((await read(server, as(cast.alice), id)).lastUsedAt).to.equal(null);
    expect(await codeOf({ key, cost: 2 })).to.equal('valid');
    expect((await dry()).code).to.equal('rate_limited');
    const { trace } = await verify({ key });
    expect(trace).to.equal(undefined);
  });

  it('has each question in its usage log, with the address and program that its backend tells', async () => {
    const key = await newKey({ scopes: ['projects:read'] });
    const from = {
      ip: '2001:DB8::7',
      userAgent: `cli/1.0 (${key.key})\u0000é😀`,
      resource: `GET /things?k=${key.key}`,
    };
    await verify({ key: key.key, ...from, scopes: ['projects:read'] });
    await verify({ key: key.key, scopes: ['orders:write'], anyScopes: ['files:read'], userAgent: 'x'.repeat(5_000) });
    await verify({ key: key.key, anyScopes: ['files:read', 'projects:read'], ip: '192.0.2.1' });
    await verify({ key: key.key, resource: `${'r'.repeat(199)}😀` });
    await server.post(`/api/api-keys/${key.id}/revoke`, {}, as(cast.alice));
    await verify({ key: key.key });
    await server.services.usage.flush();
    const columns = ['method', 'endpoint', 'status_code', 'scope', 'ip', 'user_agent'];
    const rows = await server.services
      .db<Record<string, unknown>>('api_key_usage')
      .where({ key_id: key.id, tenant_id: cast.acme.id })
      .orderBy([{ column: 'created_at' }, { column: 'id' }]);
    const mask = `${key.keyPrefix}…${key.lastFour}`;
    expect(rows.map((row) => columns.map((column) => row[column]))).to.deep.equal([
      ['VERIFY', `GET /things?k=${mask}`, 200, 'projects:read', '2001:db8::7', `cli/1.0 (${mask}) é😀`],
      ['VERIFY', 'verify', 403, 'orders:write', null, 'x'.repeat(255)],
      ['VERIFY', 'verify', 200, 'projects:read', '192.0.2.1', null],
      ['VERIFY', 'r'.repeat(199), 200, null, null, null],
      ['VERIFY', 'verify', 401, null, null, null],
    ]);
    const stored = JSON.stringify([await server.services.db('api_key_usage'), await server.services.db('audit_logs')]);
    expect(stored).not.to.include(key.key);
    expect(server.log.join('\n')).not.to.include(key.key);
  });

  it('has its question in the usage log of the key that asked, as any request', async () => {
    const caller = await newKey({ scopes: ['platform:verify'] }, operator);
    await verify({ key: unknown() }, { 'x-api-key': caller.key });
    await server.services.usage.flush();
    const rows = await server.services
      .db('api_key_usage')
      .where({ key_id: caller.id })
      .select('method', 'endpoint', 'scope');
    expect(rows).to.deep.equal([{ method: 'POST', endpoint: VERIFY, scope: 'platform:verify' }]);
  });

  describe('among others', () => {
    it('is answered in its place, all of them after one question to the database', async () => {
      const known = await Promise.all(Array.from({ length: 10 }, async (_, n) => newKey({ name: `key ${n}` })));
      const keys = Array.from({ length: 100 }, (_, n) => ({ key: n % 10 === 0 ? known[n / 10]?.key : unknown() }));
      const questions = countQuestions(server);
      const { status, body } = await server.post(BATCH, { keys }, acmes);
      expect(await questions.stop(), 'the caller’s key, then all the others').to.deep.equal([1, 100]);
      expect(status).to.equal(200);
      const results = (body as { results: (Verdict & { name?: string })[] }).results;
      expect(results.map(({ name }) => name ?? '')).to.deep.equal(
        keys.map((_, n) => (n % 10 === 0 ? `key ${n / 10}` : '')),
      );
    });

    it('is counted for each, in their order', async () => {
      const { key } = await newKey({ rateLimit: { limit: 7, windowSeconds: 3600 }, monthlyQuota: 5 });
      const costs = [1, 2, 5, 3, 1, 2, 1];
      const { body } = await server.post(BATCH, { keys: costs.map((cost) => ({ key, cost })) }, acmes);
      const { results } = body as { results: Verdict[] };
      expect(results.map(({ code, rateLimit, quota }) => [code, rateLimit?.remaining, quota?.remaining])).to.deep.equal(
        [
          ['valid', 6, 4],
          ['valid', 4, 2],
          ['rate_limited', 4, undefined],
          ['quota_exceeded', 1, 2],
          ['valid', 0, 1],
          ['rate_limited', 0, undefined],
          ['rate_limited', 0, undefined],
        ],
      );
    });

    it('takes 100 of them, with all that can be said of each, and no more', async () => {
      const one = { key: unknown(), tenantId: cast.acme.id, scopes: ['projects:read'], ip: '2001:db8::1', cost: 2 };
      const full = { ...one, resource: 'GET /invoices/:id', userAgent: 'Mozilla/5.0 (X11; Linux x86_64) '.repeat(4) };
      const of = async (length: number) => server.post(BATCH, { keys: Array.from({ length }, () => full) }, acmes);
      const { body } = await of(100);
      expect((body as { results: Verdict[] }).results.map(({ code }) => code)).to.deep.equal(
        Array(100).fill('not_found'),
      );
      for (const length of [0, 101]) expect(refusal(await of(length), 422, 'invalid_input')).to.deep.equal(['keys']);
    });
  });

  describe('asked badly', () => {
    it('is refused by field, and nothing is counted', async () => {
      const { key } = await newKey({ monthlyQuota: 1 });
      const bad: [question: object, path: string][] = [
        [{}, 'key'],
        [{ key: 7 }, 'key'],
        [{ key, scope: 'read' }, 'scope'],
        [{ key, ip: '10.0.0.0/8' }, 'ip'],
        [{ key, ip: 'localhost' }, 'ip'],
        [{ key, cost: 0 }, 'cost'],
        [{ key, cost: 1.5 }, 'cost'],
        [{ key, cost: 1_001 }, 'cost'],
        [{ key, scopes: ['Read'] }, 'scopes.0'],
        [{ key, scopes: [] }, 'scopes'],
        [{ key, anyScopes: 'read' }, 'anyScopes'],
        [{ key, dryRun: 'yes' }, 'dryRun'],
      ];
      for (const [question, path] of bad) {
        const answer = await server.post(VERIFY, question, acmes);
        expect(refusal(answer, 422, 'invalid_input'), JSON.stringify(question)).to.deep.equal([path]);
        expect(answer.text).not.to.include(key);
        const batch = await server.post(BATCH, { keys: [{ key }, question] }, acmes);
        expect(refusal(batch, 422, 'invalid_input')).to.deep.equal([`keys.1.${path}`]);
      }
      expect((await verify({ key })).quota?.remaining).to.equal(0);
    });

    it('is not found where the text is no key, however long, without a question to the database', async () => {
      const whole = unknown();
      const questions = countQuestions(server);
      for (const key of ['', 'x'.repeat(10_240), `${whole}x`, whole.slice(0, -1), ` ${whole}`, 'eyJ.eyJ.sig']) {
        expect(await verify({ key })).to.deep.equal({ valid: false, code: 'not_found' });
      }
      expect(await questions.stop(), 'the caller’s key alone').to.deep.equal(Array(6).fill(1));
    });

    it('is refused as any body is', async () => {
      const send = async (body: string, type: string) =>
        server.send('POST', VERIFY, { body, headers: { ...acmes, 'Content-Type': type } });
      refusal(await send('key=x', 'application/x-www-form-urlencoded'), 415, 'unsupported_media_type');
      refusal(await send('{"key":', 'application/json'), 400, 'invalid_json');
      refusal(await send(JSON.stringify({ key: 'x'.repeat(70_000) }), 'application/json'), 413, 'body_too_large');
      refusal(await server.post(VERIFY, { key: unknown() }), 401, 'missing_credential');
    });
  });
});

/** How many keys are in each question that the database is asked about keys and settings. */
function countQuestions({ services }: TestServer): { stop: () => Promise<number[]> } {
  const { lookup } = services;
  const own = { ...lookup };
  const lookups = openLookups(services.config.database);
  const sizes: number[] = [];
  const counted = createLookup({
    ...lookups,
    keys: async (hashes, known) => {
      sizes.push(hashes.length);
      return lookups.keys(hashes, known);
    },
  });
  Object.assign(lookup, counted);
  return {
    stop: async () => {
      Object.assign(lookup, own);
      await lookups.close();
      return sizes;
    },
  };
}
