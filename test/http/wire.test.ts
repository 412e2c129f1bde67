import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { createHttpServer, listen } from '../../app/server.ts';
import { onDatabase } from '../support/databases.ts';
import { Client } from '../support/http.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

const HEALTH = 'GET /api/health HTTP/1.1\r\nHost: x\r\n';
const END = 'Connection: close\r\n\r\n';

onDatabase('sqlite', 'on the wire', (database) => {
  const server = useServerWithoutCast(database);

  const malformed: Record<string, string> = {
    'no HTTP at all': 'hello\r\n\r\n',
    'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'no host': 'GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n',
    'two hosts': `${HEALTH}hOST: y\r\n${END}`,
    'a space before a colon': `${HEALTH}Evil : 1\r\n${END}`,
    'a NUL in a header': `${HEALTH}Evil: a\0b\r\n${END}`,
    'two lengths': `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${END}{}`,
    'a length and chunks': `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n${END}0\r\n\r\n`,
    'a length that is none': `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n${END}{}`,
    'a chunk that is none': `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n${END}zz\r\n`,
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    it(`${what} is answered 400 and cut off`, async () => {
      expect(await server.raw(bytes)).to.match(/^HTTP\/1\.1 400 Bad Request\r\n(?:[^]*\r\n)?Connection: close\r\n/);
    });
  }

  it('headers of more than 16 KiB are answered 431 and cut off', async () => {
    expect(await server.raw(`${HEALTH}Big: ${'x'.repeat(20_000)}\r\n${END}`)).to.match(/^HTTP\/1\.1 431 /);
  });

  it('a request in its absolute form is one for its path, whatever host it names', async () => {
    for (const host of ['elsewhere.example', 'user:word@x:99999', '[::1', '[', 'xn--', '%', '']) {
      const asked = async (path: string) => server.raw(`GET http://${host}${path} HTTP/1.1\r\nHost: x\r\n${END}`);
      expect(await asked('/api/health'), host).to.match(/^HTTP\/1\.1 200 /);
      expect(await asked('/api/nothing?a'), host).to.match(/^HTTP\/1\.1 404 [^]*"code":"not_found"/);
      if (host !== '[') expect(await asked(''), host).to.match(/^HTTP\/1\.1 303 /);
    }
    expect(await server.raw(`OPTIONS * HTTP/1.1\r\nHost: x\r\n${END}`)).to.match(/^HTTP\/1\.1 404 [^]*"not_found"/);
    expect(server.log.join('')).not.to.match(/"level":50/);
  });

  it('a request with two hosts and one that expects what nobody knows have a line in the log like any other', async () => {
    const asked = {
      'GET with two hosts': `${HEALTH}Host: y\r\n${END}`,
      'one that expects more': `${HEALTH}Expect: more\r\n${END}`,
    };
    for (const [what, bytes] of Object.entries(asked)) {
      const before = server.log.length;
      const answer = await server.raw(bytes);
      const id = /\r\nX-Request-Id: (\S+)\r\n/.exec(answer)?.[1];
      const lines = server.log.slice(before).filter((line) => line.includes('"msg":"request"'));
      expect(
        lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId),
        what,
      ).to.deep.equal([id]);
    }
  });

  it('a request to open a tunnel or to change protocol opens and changes nothing', async () => {
    expect(await server.raw(`CONNECT db.example:3306 HTTP/1.1\r\nHost: x\r\n\r\n`)).not.to.match(/^HTTP\/1\.1 2/);
    const upgrade = `${HEALTH}Upgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n`;
    expect(await server.raw(upgrade)).to.match(/^HTTP\/1\.1 200 /);
  });

  it('two requests in one packet get their two answers, in order', async () => {
    const answers = await server.raw(`${HEALTH}\r\nGET /api/nothing HTTP/1.1\r\nHost: x\r\n${END}`);
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).to.deep.equal(['200', '404']);
  });

  it('malformed HTTP behind a request that waits is refused after the answer to that', async () => {
    const body = JSON.stringify({ email: 'nobody@example.com', password: 'not of anybody here' });
    const login = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answers = await server.raw(`${login}${login}hello\r\n\r\n`);
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).to.deep.equal(['401', '401', '400']);
    expect(answers).to.match(
      /"code":"invalid_login"[^]*"code":"invalid_login"[^]*400 Bad Request\r\nConnection: close/,
    );
  });

  it('a client that is gone before its answer harms nobody', async () => {
    await server.raw('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n', { end: true });
    expect((await server.get('/api/health')).status).to.equal(200);
    expect(server.log.join('')).not.to.include('unexpected fault');
  });

  it('a connection that was refused ends, even where its client never closes it', async () => {
    const http = createHttpServer(server.services);
    await listen(http, 0, '127.0.0.1');
    const client = connect({ port: (http.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    const [refused] = (await once(http, 'connection')) as [Socket];
    client.write('hello\r\n\r\n');
    client.on('error', () => undefined).resume();
    await once(refused, 'close');
    client.destroy();
    http.close();
  });

  describe('time', () => {
    it('to send headers is 10 s, to send all is 30 s, to be silent meanwhile is 60 s, and an idle connection outlives the proxy in front', () => {
      const http = createHttpServer(server.services);
      expect(http.headersTimeout).to.equal(10_000);
      expect(http.requestTimeout).to.equal(30_000);
      expect(http.timeout).to.equal(60_000);
      expect(http.keepAliveTimeout).to.be.greaterThan(90_000);
    });

    it('that is up is told to the client by 408 and the end', async () => {
      const http = createHttpServer(server.services);
      await listen(http, 0, '127.0.0.1');
      const { port } = http.address() as AddressInfo;
      const heard = new Client(`http://127.0.0.1:${port}`).raw(HEALTH);
      const [socket] = (await once(http, 'connection')) as [NodeJS.WritableStream];
      http.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
      expect(await heard).to.match(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
      http.close();
    });
  });
});
