import { expect } from 'chai';
import { addPlayer, as, bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, detailOf, issue, keyOf, refusal, tried } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

interface Tenant {
  id: string;
  slug: string;
  name: string;
  externalId: string | null;
  status: string;
}

const PATH = '/api/v1/tenants';

onEachDatabase('tenants by API', (database) => {
  const { server, acme, globex, alice, charlie } = useServer(database);
  const other = useServerWithoutCast(database);
  let operator: Headers;
  let platform: Headers;

  before(async () => {
    operator = as(await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true }));
    const scopes = ['platform:tenants', 'api-keys:write', 'api-keys:read', 'projects:*'];
    platform = { 'x-api-key': (await issue(server, operator, { scopes, name: 'our backend' })).key };
  });

  const create = async (wish: object, headers = platform) => {
    const answer = await server.post(PATH, wish, headers);
    expect(answer.status, answer.text).to.equal(201);
    const tenant = answer.body as Tenant;
    expect(answer.headers.location).to.equal(`${PATH}/${tenant.id}`);
    return tenant;
  };
  const list = async (query: string) => (await server.get(`${PATH}?${query}`, platform)).body as { data: Tenant[] };

  it('are created, shown, renamed and listed by external id and status, by an operator and by a platform key', async () => {
    const initech = await create({ name: 'Initech', externalId: 'crm-7' });
    expect(initech).to.deep.include({ slug: 'initech', name: 'Initech', externalId: 'crm-7', status: 'active' });
    const hooli = await create({ name: 'Hooli', slug: 'hooli-1' }, operator);
    expect((await server.get(`${PATH}/${hooli.id}`, platform)).body).to.deep.equal(hooli);
    const renamed = await server.patch(`${PATH}/${hooli.id}`, { name: 'Hooli Inc', externalId: 'CRM-7' }, operator);
    expect(renamed.body).to.deep.include({ slug: 'hooli-1', name: 'Hooli Inc', externalId: 'CRM-7' });
    expect(await list('externalId=crm-7')).to.deep.include({ data: [initech], total: 1, page: 1, limit: 20 });
    expect((await list('status=suspended')).data).to.deep.equal([]);
    expect((await list('q=hooli&limit=1')).data.map(({ id }) => id)).to.deep.equal([hooli.id]);
    const rows = await server.services.db('audit_logs').where({ tenant_id: hooli.id }).pluck<string[]>('action');
    expect(rows).to.have.members(['TENANT_CREATED', 'TENANT_UPDATED']);
  });

  it('are for operators and platform keys alone, and refuse what is wrong by field', async () => {
    const all = { 'x-api-key': (await issue(server, as(alice), { scopes: ['*'] })).key };
    for (const headers of [as(alice), all]) {
      refusal(await server.post(PATH, { name: 'Mine' }, headers), 403, 'insufficient_scope');
      refusal(await server.get(PATH, headers), 403, 'insufficient_scope');
      refusal(await server.patch(`${PATH}/${acme.id}`, { name: 'x' }, headers), 403, 'insufficient_scope');
    }
    refusal(await server.post(PATH, { name: 'Acme', slug: 'acme' }, platform), 409, 'conflict');
    const wrong = { name: '', slug: 'No Slug', policy: {} };
    expect(refusal(await server.post(PATH, wrong, platform), 422, 'invalid_input')).to.include.members([
      'name',
      'slug',
    ]);
    const away = '01890000-0000-7000-8000-000000000000';
    refusal(await server.patch(`${PATH}/${away}`, { name: 'x' }, platform), 404, 'not_found');
    refusal(await server.get(`${PATH}?status=closed`, platform), 400, 'invalid_query');
  });

  it('refuse their keys and people in every process once a suspension returns, and let them in again', async () => {
    const key = (await issue(server, as(charlie), { scopes: ['read'] })).key;
    const status = async (to: string) => server.patch(`${PATH}/${globex.id}`, { status: to }, platform);
    expect((await status('suspended')).body).to.deep.include({ status: 'suspended' });
    for (const process of [server, other]) {
      expect(await tried(process, key)).to.equal('403 tenant_suspended');
      refusal(await process.get('/api/v1/whoami', bearer(charlie)), 403, 'tenant_suspended');
    }
    expect((await status('active')).status).to.equal(200);
    expect(await tried(other, key)).to.equal('200');
  });
});

onEachDatabase('keys of a tenant by a platform key', (database) => {
  const { server, acme, globex, alice, charlie } = useServer(database);
  let operator: Headers;
  const platformKey = async (scopes: string[], wish: object = {}) => {
    const { key, id } = await issue(server, operator, { name: 'our backend', scopes, ...wish });
    return { id, headers: { 'x-api-key': key, 'x-tenant-id': 'globex' } };
  };
  const WHOLE = ['platform:tenants', 'api-keys:write', 'api-keys:read', 'projects:*'];

  before(async () => {
    operator = as(await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true }));
  });

  it('are created, listed, rotated and revoked, named by id or slug, whatever that tenant’s policy lets its own keys do', async () => {
    const bounds = { expiresInDays: 30, allowedIps: ['127.0.0.0/8', '::1/128'], monthlyQuota: 10_000 };
    const { id, headers } = await platformKey(WHOLE, bounds);
    const path = '/api/v1/api-keys';
    const wish = { name: 'of a customer', scopes: ['projects:read'], expiresInDays: 365, externalId: 'user-1' };
    const made = keyOf(await server.post(path, wish, headers), 201);
    expect((await server.get('/api/v1/whoami', { 'x-api-key': made.key })).body).to.deep.include({
      tenant: { id: globex.id, slug: 'globex' },
    });
    const byId = { ...headers, 'x-tenant-id': globex.id.toUpperCase() };
    const listed = (await server.get(`${path}?q=of+a+customer`, byId)).body as { data: { id: string }[] };
    expect(listed.data.map((key) => key.id)).to.deep.equal([made.id]);
    const rotated = keyOf(await server.post(`${path}/${made.id}/rotate`, {}, headers), 200);
    expect(await tried(server, made.key)).to.equal('401 key_revoked');
    expect(await tried(server, rotated.key)).to.equal('200');
    expect((await server.post(`${path}/${rotated.id}/revoke`, {}, headers)).status).to.equal(200);
    expect(await tried(server, rotated.key)).to.equal('401 key_revoked');
    const rows = await auditOf(server, as(charlie), made.id);
    expect(rows.map(({ actorType, actorId }) => [actorType, actorId])).to.deep.equal(rows.map(() => ['api_key', id]));
    // The uses are the platform key's own, in its own tenant.
    const uses = (await server.get(`${path}/${id}/usage`, operator)).body as { data: object[] };
    expect(uses.data.length).to.be.at.least(4);
  });

  it('never get a scope that the platform key lacks, nor one of the platform', async () => {
    const { headers } = await platformKey(WHOLE);
    const grant = async (scope: string) => server.post('/api/v1/api-keys', { name: 'more', scopes: [scope] }, headers);
    expect(detailOf(await grant('orders:read'))).to.contain('orders:read');
    refusal(await grant('orders:read'), 403, 'insufficient_scope');
    refusal(await grant('platform:tenants'), 403, 'insufficient_permission');
  });

  it('are out of reach without platform:tenants, and everything else of that tenant is with it', async () => {
    const { headers } = await platformKey(['api-keys:write', 'projects:*']);
    refusal(await server.get('/api/v1/api-keys', headers), 403, 'tenant_mismatch');
    const reader = await platformKey(['platform:tenants', 'projects:*']);
    refusal(await server.get('/api/v1/api-keys', reader.headers), 403, 'insufficient_scope');
    for (const mount of ['/api', '/api/v1']) {
      refusal(await server.get(`${mount}/projects`, reader.headers), 403, 'tenant_mismatch');
      refusal(await server.get(`${mount}/members`, reader.headers), 403, 'tenant_mismatch');
    }
    const whole = await platformKey(WHOLE);
    const nowhere = { ...whole.headers, 'x-tenant-id': 'nowhere' };
    refusal(await server.get('/api/v1/api-keys', nowhere), 404, 'not_found');
    refusal(await server.get('/api/v1/api-keys', { ...as(alice), 'x-tenant-id': 'globex' }), 403, 'tenant_mismatch');
    const own = { ...whole.headers, 'x-tenant-id': 'acme' };
    refusal(await server.get('/api/v1/api-keys', own), 403, 'insufficient_permission');
  });

  it('count for the platform key’s own limit, whichever tenant it acts for', async () => {
    const { headers } = await platformKey(WHOLE, { rateLimit: { limit: 3, windowSeconds: 3_600 } });
    const statuses = [];
    for (const tenant of ['globex', 'globex', 'acme', 'globex']) {
      statuses.push((await server.get('/api/v1/api-keys', { ...headers, 'x-tenant-id': tenant })).status);
    }
    expect(statuses).to.deep.equal([200, 200, 403, 429]);
  });
});
