import { expect } from 'chai';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { isForPrograms } from '../../app/middleware/programs.ts';
import { createRoutes } from '../../app/routes/routes.ts';
import { Contract } from '../support/contract.ts';
import { onDatabase } from '../support/databases.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface Document {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, { operationId: string; tags: string[]; security: Record<string, string[]>[] }>>;
  components: { securitySchemes: Record<string, unknown>; schemas: Record<string, unknown> };
}

onDatabase('sqlite', 'the OpenAPI document', (database) => {
  let server: TestServer;
  let document: Document;
  let text: string;

  before(async () => {
    server = await startServer(database.env(), { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long password' });
    const answer = await server.get('/openapi.json');
    expect([answer.status, answer.headers['content-type']]).to.deep.equal([200, 'application/json; charset=utf-8']);
    ({ text } = answer);
    document = answer.body as Document;
  });
  after(async () => server.stop());

  it('names every endpoint that is served, and no other', () => {
    const served = createRoutes(server.services)
      .table.filter(({ path }) => isForPrograms(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    const documented = new Contract(document).operations.map(({ method, path }) => `${method} ${path}`);
    expect(documented).to.have.members(served);
    expect(documented.length).to.be.greaterThan(30);
  });

  it('says of every endpoint what it answers', () => {
    const silent = createRoutes(server.services).table.filter(
      ({ path, answers }) => isForPrograms(path) && answers.length === 0,
    );
    expect(silent.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([]);
  });

  it('is of 3.1, and of the version that runs', () => {
    expect(document.openapi).to.match(/^3\.1\./);
    expect(document.info.version).to.match(/^\d+\.\d+\.\d+$/);
  });

  it('passes a linter, examples and all', async () => {
    const config = await createConfig({
      extends: ['recommended'],
      // What takes no input and no credential has nothing to refuse.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config });
    expect(problems.map(({ message, location }) => `${location[0]?.pointer ?? ''}: ${message}`)).to.deep.equal([]);
  });

  it('names its operations once each', () => {
    const names = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
    expect(new Set(names)).to.have.property('size', names.length);
  });

  it('says of each endpoint which scope opens it, and which credentials do', () => {
    const { paths } = document;
    const keyed = (scopes: string[]) => [
      { ApiKeyHeader: scopes },
      { ApiKeyAuthorization: scopes },
      { BearerAuth: scopes },
    ];
    expect(paths['/api/v1/billing']?.get?.security).to.deep.equal(keyed(['billing:read']));
    expect(paths['/api/v1/whoami']?.get?.security).to.deep.equal(keyed([]));
    expect(paths['/api/v1/api-keys']?.post?.security).to.deep.equal(keyed(['api-keys:write']));
    expect(paths['/api/billing/checkouts/{id}/confirm']?.post?.security).to.deep.equal([{ BearerAuth: [] }]);
    expect(paths['/api/admin/api-keys']?.get?.security).to.deep.equal([{ BasicAuth: [] }]);
    expect(paths['/api/health']?.get?.security).to.deep.equal([]);
    expect(document.components.securitySchemes).to.have.all.keys(
      ...['ApiKeyHeader', 'ApiKeyAuthorization', 'BearerAuth', 'BasicAuth'],
    );
  });

  it('writes what occurs in many places once', () => {
    expect(document.components.schemas).to.include.keys('ApiKey', 'IssuedApiKey', 'AuditEvent', 'Problem', 'Checkout');
  });

  it('says nothing of support staff where there are none', async () => {
    const other = await startServer(database.env());
    try {
      const { paths } = (await other.get('/openapi.json')).body as Document;
      expect(paths).not.to.have.property('/api/admin/api-keys');
    } finally {
      await other.stop();
    }
  });
});
