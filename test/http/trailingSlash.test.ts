import { expect } from 'chai';
import { as, bearer, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { acmePage } from '../support/organisationPages.ts';

onEachDatabase('one slash at the end of an API path', (database) => {
  const { server, ...cast } = useServer(database, { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long password' });
  let alice: Headers;
  before(async () => {
    alice = as(cast.alice);
  });

  it('is ignored in every router, on both mounts and for every method', async () => {
    for (const mount of ['/api', '/api/v1']) {
      const made = await server.post(`${mount}/projects/`, { name: 'Slash' }, alice);
      expect(made.status, made.text).to.equal(201);
      const { id } = made.body as { id: string };
      const path = `${mount}/projects/${id}/`;
      expect((await server.get(path, alice)).status).to.equal(200);
      expect((await server.send('HEAD', path, { headers: alice })).status).to.equal(200);
      expect((await server.patch(path, { name: 'Bar' }, alice)).status).to.equal(200);
      const options = await server.send('OPTIONS', path);
      expect([options.status, options.headers.allow]).to.deep.equal([204, 'DELETE, GET, HEAD, PATCH']);
      expect((await server.delete(path, alice)).status).to.equal(200);
      const list = await server.get(`${mount}/projects/?limit=1`, alice);
      expect(list.status).to.equal(200);
      expect(list.body).to.have.property('data').with.lengthOf.at.most(1);
      expect((await server.get(`${mount}/api-keys/scopes/available/`, alice)).status).to.equal(200);
      expect((await server.get(`${mount}/audit-logs/?limit=1`, alice)).status).to.equal(200);
    }
    expect((await server.get('/api/health/')).status).to.equal(200);
    expect((await server.get('/api/health/live/')).status).to.equal(200);
    const login = await server.post('/api/auth/login/', { email: cast.alice.email, password: PASSWORD });
    expect(login.status).to.equal(200);
    const staff = `Basic ${Buffer.from('staff:a long password').toString('base64')}`;
    expect((await server.get('/api/admin/api-keys/', { Authorization: staff })).status).to.equal(200);
  });

  it('is ignored by the refusals too: 401, 403 and 405 stay what they are', async () => {
    expect((await server.get('/api/v1/whoami/')).status).to.equal(401);
    const { key } = await issue(server, alice, { scopes: ['self:read'] });
    expect((await server.get('/api/v1/projects/', { 'x-api-key': key })).status).to.equal(403);
    expect((await server.put('/api/v1/projects/', {}, alice)).status).to.equal(405);
  });

  it('is one slash: two are 404, as are slashes in the middle and in front', async () => {
    for (const path of [
      '/api/v1/whoami//',
      '/api/v1//whoami',
      '//api/v1/whoami',
      '/api//v1/whoami/',
      '/api/v1/',
      '/api/',
    ])
      expect((await server.get(path, bearer(cast.alice))).status, path).to.equal(404);
  });

  it('is no part of the route that the usage log keeps', async () => {
    const { id, key } = await issue(server, alice);
    await server.get('/api/v1/projects/', { 'x-api-key': key });
    const { body } = await server.get(`/api/api-keys/${id}/usage`, alice);
    expect((body as { data: { endpoint: string }[] }).data[0]?.endpoint).to.equal('/api/v1/projects');
  });

  it('stays what it is on pages and documents', async () => {
    for (const path of ['/login/', acmePage('/api-keys/'), '/openapi.json/'])
      expect((await server.get(path, { Accept: 'text/html' })).status, path).to.equal(404);
  });
});
