import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { as, castOf } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, read } from '../support/keys.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

const LOGIN = '/api/auth/login';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const KIB = 1024;

onDatabase('sqlite', 'a body', (database) => {
  const server = useServerWithoutCast(database);

  const post = async (body: string | Buffer, headers: Headers = JSON_TYPE): Promise<Answer> =>
    server.send('POST', LOGIN, { body, headers });

  const expectCode = (answer: Answer, status: number, code: string) => {
    expect(answer.body).to.include({ code });
    expect(answer.status).to.equal(status);
    expect(answer.headers['content-type']).to.equal('application/problem+json');
    expect(answer.headers['cache-control']).to.equal('no-store');
  };

  /** A valid login of exactly this many bytes. */
  const loginOf = (bytes: number): string => {
    const empty = JSON.stringify({ email: 'nobody@acme.example', password: '' });
    return JSON.stringify({ email: 'nobody@acme.example', password: 'x'.repeat(bytes - empty.length) });
  };

  it('of 64 KiB is read, of one byte more is 413', async () => {
    expectCode(await post(loginOf(64 * KIB)), 401, 'invalid_login');
    expectCode(await post(loginOf(64 * KIB + 1)), 413, 'body_too_large');
  });

  it('that is far too large is told so, each time, though it never ends up being read', async () => {
    const huge = loginOf(8 * KIB * KIB);
    for (let i = 0; i < 5; i++) expectCode(await post(huge), 413, 'body_too_large');
  });

  it('without an announced length is cut off at 64 KiB, even if it goes on', async () => {
    const { hostname, port } = new URL(server.url);
    const sending = request({ hostname, port, path: LOGIN, method: 'POST', headers: JSON_TYPE, agent: false });
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
    for (let i = 0; i < 5; i++) sending.write(Buffer.alloc(16 * KIB, 'x'));
    const [answer] = await answered;
    expect(answer.statusCode).to.equal(413);
    expect(answer.headers.connection).to.equal('close');
    answer.resume();
    await once(sending, 'close');
  });

  it('of another type, of none or compressed is 415', async () => {
    const login = loginOf(100);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonx',
      'multipart/form-data',
      '',
    ]) {
      expectCode(await post(login, { 'Content-Type': type }), 415, 'unsupported_media_type');
    }
    expectCode(await post(login, {}), 415, 'unsupported_media_type');
    expectCode(await post(login, { ...JSON_TYPE, 'Content-Encoding': 'gzip' }), 415, 'unsupported_media_type');
  });

  it('in JSON is read however its type is spelt', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=UTF-8']) {
      expectCode(await post(loginOf(100), { 'Content-Type': type }), 401, 'invalid_login');
    }
  });

  it('that is no JSON or no UTF-8 is 400', async () => {
    for (const text of ['{', '{"email":}', "{'a':1}", 'email=a', '{"a":1}{"b":2}', '\u0000', 'undefined', '{"a":1,}']) {
      expectCode(await post(text), 400, 'invalid_json');
    }
    expectCode(await post(Buffer.from('{"email":"\xff\xfe"}', 'latin1')), 400, 'invalid_json');
  });

  it('that ends early is 400', async () => {
    const head = `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    expect(await server.raw(`${head}Content-Length: 100\r\n\r\n{"email"`, { end: true })).to.match(/^HTTP\/1\.1 400 /);
    expect(await server.raw(`${head}Transfer-Encoding: chunked\r\n\r\n8\r\n{"em`, { end: true })).to.match(
      /^HTTP\/1\.1 400 /,
    );
  });

  it('that is JSON and not what is asked for is 422, naming each field and repeating no value', async () => {
    const answer = await post('{"email":17,"tenantId":"canary"}');
    expectCode(answer, 422, 'invalid_input');
    const { errors } = answer.body as { errors: { path: string; message: string }[] };
    expect(errors.map(({ path }) => path)).to.have.members(['email', 'password', 'tenantId']);
    for (const { message } of errors) expect(message).to.be.a('string').and.not.empty;
    expect(answer.text).not.to.include('canary');
  });

  it('that is absent is as good as one without fields', async () => {
    for (const answer of [await server.send('POST', LOGIN), await post(''), await post('{}')]) {
      expectCode(answer, 422, 'invalid_input');
    }
  });

  it('that is no object is 422', async () => {
    for (const text of ['[]', '"x"', '1', 'null', 'true', '[{"email":"a","password":"b"}]']) {
      expectCode(await post(text), 422, 'invalid_input');
    }
  });

  it('that is no object is 422 where none is needed too, and nothing is done', async () => {
    const alice = as((await castOf(server)).alice);
    const { id } = await issue(server, alice);
    for (const action of ['rotate', 'revoke']) {
      for (const body of ['null', '[]', '0', 'false', '""']) {
        const headers = { ...alice, ...JSON_TYPE };
        expectCode(await server.send('POST', `/api/api-keys/${id}/${action}`, { body, headers }), 422, 'invalid_input');
      }
    }
    expect(await read(server, alice, id)).to.include({ status: 'active', successorKeyId: null });
  });

  it('with the names of an object itself sets nothing by them', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const answer = await post(`{"email":"a","password":"b","${name}":{"polluted":true}}`);
      expectCode(answer, 422, 'invalid_input');
      expect(answer.body).to.have.nested.property('errors[0].path', name);
      expect({}).not.to.have.property('polluted');
    }
  });

  it('nested thirty thousand deep is refused like any other', async () => {
    const answer = await post('['.repeat(30_000) + ']'.repeat(30_000));
    expect([400, 422]).to.include(answer.status);
  });

  it('with a thousand wrong fields is told of twenty', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field${i}`, 1]));
    const answer = await post(JSON.stringify(fields));
    expectCode(answer, 422, 'invalid_input');
    expect(answer.body).to.have.property('errors').with.length.within(20, 22);
  });

  it('with names that are no names does not get them back', async () => {
    const answer = await post('{"<script>":1,"\\r\\nSet-Cookie: a=b":1}');
    expectCode(answer, 422, 'invalid_input');
    expect(answer.text).not.to.match(/script|Set-Cookie/);
  });
});
