import { expect } from 'chai';
import { mintKey } from '../../app/domain/token.ts';
import { addPlayer, as, bearer, castOf, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, read, rotate, type Key } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const INTROSPECT = '/oauth/introspect';
const INACTIVE = '{"active":false}';

onEachDatabase('a key that is introspected', (database) => {
  let server: TestServer;
  let cast: Cast;
  let caller: Headers;

  before(async () => {
    server = await startServer(database.env(), { PUBLIC_URL: 'https://keys.example.com' });
    cast = await castOf(server);
    const { key } = await issue(server, as(cast.alice), { scopes: ['keys:verify'] });
    caller = { Authorization: `Bearer ${key}` };
  });
  after(async () => server.stop());

  const newKey = async (wish: object = {}, player = cast.alice) => issue(server, as(player), wish);
  /** As clients of RFC 7662 send it. */
  const introspect = async (fields: Record<string, string> | [string, string][], headers = caller): Promise<Answer> =>
    server.send('POST', INTROSPECT, {
      body: new URLSearchParams(fields).toString(),
      headers: {
        accept: 'application/json',
        'Content-Type': 'application/x-www-form-urlencoded;charset=UTF-8',
        ...headers,
      },
    });
  const activity = async ({ key }: { key: string }, headers = caller) => {
    const { status, text } = await introspect({ token: key, token_type_hint: 'access_token' }, headers);
    expect(status, text).to.equal(200);
    return text === INACTIVE ? 'inactive' : (JSON.parse(text) as Record<string, unknown>);
  };
  const expectError = ({ status, headers, body, text }: Answer, expectedStatus: number, error: string) => {
    expect([status, (body as { error?: string }).error], text).to.deep.equal([expectedStatus, error]);
    expect(headers['content-type']).to.equal('application/json; charset=utf-8');
    expect((body as { error_description: string }).error_description).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(Object.keys(body as object)).to.have.members(['error', 'error_description']);
  };

  it('is told with its scopes, its tenant and its end, and with whose it is', async () => {
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const key = await newKey({ scopes: ['projects:read', 'orders:write'], expiresAt, owner: 'user' });
    expect(await activity(key)).to.deep.equal({
      active: true,
      scope: 'projects:read orders:write',
      client_id: key.id,
      sub: cast.alice.id,
      iat: Math.floor(Date.parse(key.createdAt) / 1000),
      exp: Math.floor(Date.parse(expiresAt) / 1000),
      token_type: 'Bearer',
      tenant_id: cast.acme.id,
    });
    const service = await newKey();
    expect(await activity(service))
      .to.include({ sub: service.id })
      .and.not.to.have.property('exp');
    const { successor, old } = {
      old: service,
      successor: await rotate(server, as(cast.alice), service.id, { gracePeriodSeconds: 60 }),
    };
    const ends = Date.parse((await read(server, as(cast.alice), old.id)).graceEndsAt ?? '');
    expect(await activity(old)).to.include({ exp: Math.floor(ends / 1000) });
    expect(await activity(successor)).to.include({ active: true });
  });

  it('is inactive and nothing else, whatever the reason', async () => {
    const change = async (key: Key, columns: object) =>
      server.services.db('api_keys').where({ id: key.id }).update(columns);
    const [revoked, expired, theirs] = [await newKey(), await newKey(), await newKey({}, cast.charlie)];
    await change(revoked, { revoked_at: 1 });
    await change(expired, { expires_at: 1 });
    const texts = [revoked.key, expired.key, theirs.key, mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key];
    for (const key of [...texts, 'x', 'x'.repeat(10_240), cast.alice.token]) {
      const answer = await introspect({ token: key });
      expect([answer.status, answer.text]).to.deep.equal([200, INACTIVE]);
      expect(answer.headers['cache-control']).to.equal('no-store');
    }
    const operator = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    expect(await activity(theirs, bearer(operator))).to.include({ active: true, tenant_id: cast.globex.id });
  });

  it('spends neither its limit nor its quota, and is used by it', async () => {
    const key = await newKey({ rateLimit: { limit: 1, windowSeconds: 3600 }, monthlyQuota: 1 });
    for (let n = 0; n < 3; n++) expect(await activity(key)).to.include({ active: true });
    expect((await server.get('/api/v1/whoami', { 'x-api-key': key.key })).status).to.equal(200);
    expect(await activity(key), 'also with nothing left').to.include({ active: true });
    expect((await read(server, as(cast.alice), key.id)).lastUsedAt).not.to.equal(null);
    const uses = await server.services.db('api_key_usage').where({ key_id: key.id, method: 'INTROSPECT' });
    expect(uses).to.have.length(4);
    expect(uses[0]).to.include({ endpoint: INTROSPECT, status_code: 200 });
  });

  it('takes one token in a form, and refuses anything else in the words of RFC 6749', async () => {
    const { key } = await newKey();
    expectError(
      await introspect([
        ['token', key],
        ['token', key],
      ]),
      400,
      'invalid_request',
    );
    expectError(
      await introspect([
        ['token', key],
        ['x', '1'],
        ['x', '2'],
      ]),
      400,
      'invalid_request',
    );
    for (const fields of [{}, { token: '' }, { token_type_hint: 'access_token' }]) {
      const refused = await introspect(fields);
      expectError(refused, 400, 'invalid_request');
      expect((refused.body as { error_description: string }).error_description).to.match(/^token: /);
    }
    expect((await introspect({ token: key, unheard_of: '1' })).body).to.include({ active: true });
    const sent = async (body: string, type: string) =>
      server.send('POST', INTROSPECT, { body, headers: { ...caller, 'Content-Type': type } });
    expectError(await sent(JSON.stringify({ token: key }), 'application/json'), 415, 'invalid_request');
    expectError(await sent(`token=${'x'.repeat(70_000)}`, 'application/x-www-form-urlencoded'), 413, 'invalid_request');
    expect((await server.get(`${INTROSPECT}?token=${key}`, caller)).status).to.equal(405);
  });

  it('is told to those alone who show one credential that may verify keys', async () => {
    const { key } = await newKey();
    const token = { token: key };
    const anonymous = await introspect(token, {});
    expectError(anonymous, 401, 'invalid_client');
    expect(anonymous.headers['www-authenticate']).to.include('Bearer');
    expectError(await introspect(token, { Authorization: `Basic ${btoa('id:secret')}` }), 401, 'invalid_client');
    expectError(await introspect(token, { 'x-api-key': `${key}x` }), 401, 'invalid_token');
    expectError(await introspect(token, { 'x-api-key': key }), 403, 'insufficient_scope');
    expectError(await introspect(token, { ...caller, 'x-api-key': key }), 400, 'invalid_request');
    for (const second of ['client_secret', 'client_assertion']) {
      const refused = await introspect({ ...token, [second]: 'x' });
      expectError(refused, 400, 'invalid_request');
      expect((refused.body as { error_description: string }).error_description).to.equal(
        `${second}: Send the credential in the Authorization header`,
      );
    }
    expect((anonymous.body as { error_description: string }).error_description).to.include('API key');
  });

  it('is found by the metadata document of RFC 8414', async () => {
    const { status, body } = await server.get('/.well-known/oauth-authorization-server');
    expect(status).to.equal(200);
    expect(body).to.deep.equal({
      issuer: 'https://keys.example.com',
      introspection_endpoint: `https://keys.example.com${INTROSPECT}`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      response_types_supported: [],
      grant_types_supported: [],
      service_documentation: 'https://keys.example.com/docs',
    });
  });
});
