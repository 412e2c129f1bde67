import { expect } from 'chai';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { isApiPath } from '../../app/http/apiPaths.ts';
import { createRoutes } from '../../app/routes.ts';
import { Contract } from '../support/contract.ts';
import { onDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

interface Document {
  openapi: string;
  info: { version: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, { type: string; name?: string }>;
    schemas: Record<string, { properties: Record<string, { description?: string }> }>;
  };
}

interface Operation {
  operationId: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  responses: Record<string, { headers: Record<string, unknown> }>;
}

onDatabase('sqlite', 'the OpenAPI document', (database) => {
  const server = useServerWithoutCast(database, { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long password' });
  let document: Document;
  let text: string;

  before(async () => {
    const answer = await server.get('/openapi.json');
    expect([answer.status, answer.headers['content-type']]).to.deep.equal([200, 'application/json; charset=utf-8']);
    ({ text } = answer);
    document = answer.body as Document;
  });
  const operations = () => Object.values(document.paths).flatMap((path) => Object.values(path));

  it('names every endpoint that is served, and no other', () => {
    const served = createRoutes(server.services)
      .table.filter(({ path }) => isApiPath(path))
      .map(({ method, path }) => `${method} ${path.replace(/\{?[:*](\w+)\}?/g, '{$1}')}`);
    const documented = new Contract(document).operations.map(({ method, path }) => `${method} ${path}`);
    expect(documented).to.have.members(served);
    expect(documented.length).to.be.greaterThan(30);
  });

  it('says of every endpoint what it answers', () => {
    const silent = createRoutes(server.services).table.filter(
      ({ path, answers }) => isApiPath(path) && answers.length === 0,
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
    const keyed = (scopes: string[]) => [{ BearerAuth: scopes }, { ApiKeyAuthorization: scopes }];
    expect(paths['/api/v1/billing']?.get?.security).to.deep.equal(keyed(['billing:read']));
    expect(paths['/api/v1/whoami']?.get?.security).to.deep.equal(keyed([]));
    expect(paths['/api/v1/api-keys']?.post?.security).to.deep.equal(keyed(['api-keys:write']));
    expect(paths['/api/billing/checkouts/{id}/confirm']?.post?.security).to.deep.equal([{ BearerAuth: [] }]);
    expect(paths['/api/admin/api-keys']?.get?.security).to.deep.equal([{ BasicAuth: [] }]);
    expect(paths['/api/health']?.get?.security).to.deep.equal([]);
    expect(document.components.securitySchemes).to.have.all.keys('ApiKeyAuthorization', 'BearerAuth', 'BasicAuth');
  });

  it('lets no generated client send two credentials: all of an operation go into the same header', () => {
    const { securitySchemes } = document.components;
    const headerOf = (scheme = '') => {
      const { type, name } = securitySchemes[scheme] ?? {};
      return type === 'http' ? 'Authorization' : name;
    };
    for (const { operationId, security } of operations()) {
      const headers = security.flatMap((one) => Object.keys(one)).map(headerOf);
      expect(new Set(headers).size, `${operationId}: ${headers.join(', ')}`).to.be.at.most(1);
    }
  });

  it('describes every property of a key', () => {
    for (const name of ['ApiKey', 'IssuedApiKey']) {
      const { properties = {} } = document.components.schemas[name] ?? {};
      const silent = Object.keys(properties).filter((property) => properties[property]?.description === undefined);
      expect(Object.keys(properties).length).to.be.greaterThan(20);
      expect(silent, name).to.deep.equal([]);
    }
  });

  it('says of every limited endpoint which headers tell the limit, and of every 201 where to find what was made', () => {
    for (const { operationId, responses, security } of operations()) {
      const good = Object.entries(responses).filter(([status]) => Number(status) < 300);
      // nginx takes no 429, and is told the limit all the same.
      const refused = '429' in responses || operationId === 'getForwardAuthNginx';
      const limited = refused && !security.some((one) => 'BasicAuth' in one);
      for (const [status, { headers }] of good) {
        const named = Object.keys(headers);
        expect(named.includes('RateLimit') && named.includes('RateLimit-Policy'), operationId).to.equal(limited);
        expect(named.includes('Location'), operationId).to.equal(status === '201');
      }
    }
  });

  it('asks for no credential in its words where it asks for none', () => {
    const { paths, tags } = document;
    const open = operations().filter(({ security }) => security.length === 0);
    expect(open.map(({ operationId }) => operationId)).to.include.members(['getApiHealth', 'postApiAuthLogin']);
    for (const { description } of open) expect(description).to.equal('Takes no credential.');
    for (const path of ['/api/health', '/api/auth/login', '/openapi.json']) {
      const [operation] = Object.values(paths[path] ?? {});
      const tag = tags.find(({ name }) => name === operation?.tags[0]);
      expect(tag?.description, path).to.equal('Takes no credential, and is about no tenant.');
    }
    expect(tags.find(({ name }) => name === 'API keys')?.description).to.equal('The credential names its tenant.');
  });

  describe('as it is sent', () => {
    const ask = async (headers: Record<string, string>) => fetch(`${server.url}/openapi.json`, { headers });

    it('is compressed for whoever takes that, with a tag of its own for each form', async () => {
      const plain = await ask({ 'Accept-Encoding': 'identity' });
      const small = await ask({ 'Accept-Encoding': 'gzip' });
      for (const { headers } of [plain, small]) {
        expect([headers.get('cache-control'), headers.get('vary')]).to.deep.equal(['no-cache', 'Accept-Encoding']);
        expect(headers.get('etag')).to.match(/^"\S+"$/);
      }
      expect(plain.headers.get('etag')).not.to.equal(small.headers.get('etag'));
      expect([plain, small].map(({ headers }) => headers.get('content-encoding'))).to.deep.equal([null, 'gzip']);
      expect(Number(small.headers.get('content-length'))).to.be.within(1, text.length / 10);
      expect([await plain.text(), await small.text()]).to.deep.equal([text, text]);
    });

    it('is not sent again to whoever has it', async () => {
      for (const encoding of ['identity', 'gzip']) {
        const etag = (await ask({ 'Accept-Encoding': encoding })).headers.get('etag') ?? '';
        // Asked without fetch(), which would add that it wants nothing that is kept.
        const again = await server.get('/openapi.json', { 'Accept-Encoding': encoding, 'If-None-Match': etag });
        expect([again.status, again.text, again.headers.etag]).to.deep.equal([304, '', etag]);
        expect((await ask({ 'Accept-Encoding': encoding, 'If-None-Match': '"another"' })).status).to.equal(200);
      }
    });
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
