import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import { get, type IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { assets } from '../../app/http/assets.ts';
import { onDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

onDatabase('sqlite', 'a static file', (database) => {
  const server = useServerWithoutCast(database);
  const hashed = assets().address('docs.css');
  const plain = '/static/docs.css';

  it('may be kept for good at the address that holds its hash', async () => {
    const answer = await server.get(hashed);
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.include({
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      vary: 'Accept-Encoding',
    });
    expect(answer.text).to.include('.swagger-ui');
  });

  it('is asked for each time at its plain name, and at a hash it no longer has', async () => {
    for (const path of [plain, '/static/AAAAAAAAAAAAAAAA/docs.css']) {
      const answer = await server.get(path);
      expect([answer.status, answer.headers['cache-control']]).to.deep.equal([200, 'no-cache']);
    }
  });

  it('is not sent again to who has it', async () => {
    const { headers } = await server.get(plain);
    const again = await server.get(plain, { 'If-None-Match': String(headers.etag) });
    expect([again.status, again.text]).to.deep.equal([304, '']);
    expect(again.headers.etag).to.equal(headers.etag);
    expect((await server.get(plain, { 'If-None-Match': '"other"' })).status).to.equal(200);
  });

  it('is told of without its content', async () => {
    const answer = await server.send('HEAD', hashed);
    expect([answer.status, answer.text]).to.deep.equal([200, '']);
    expect(Number(answer.headers['content-length'])).to.be.greaterThan(1000);
  });

  it('comes smaller to who can read it so, each form under its own tag', async () => {
    const { headers, text } = await server.get(hashed);
    const forms = { br: brotliDecompressSync, gzip: gunzipSync };
    const tags = new Set([headers.etag]);
    for (const [encoding, decode] of Object.entries(forms)) {
      const { bytes, headers: form } = await download(hashed, { 'Accept-Encoding': encoding });
      expect(form['content-encoding']).to.equal(encoding);
      expect(bytes.length).to.be.lessThan(text.length / 2);
      expect(decode(bytes).toString()).to.equal(text);
      tags.add(form.etag);
    }
    expect(tags).to.have.property('size', 3);
  });

  it('takes GET and HEAD and nothing else', async () => {
    const answer = await server.post(plain, {});
    expect([answer.status, answer.headers.allow]).to.deep.equal([405, 'GET, HEAD']);
  });

  it('is one of those that were there at the start: no address leads anywhere else', async () => {
    const paths = [
      ...['/static/', '/static', '/static//docs.css', '/static/nothing.css', '/static/docs.css/', '/static/DOCS.css'],
      ...[
        '/static/../package.json',
        '/static/..%2fpackage.json',
        '/static/%2e%2e/package.json',
        '/static/..\\package.json',
      ],
      ...['/static/AAAAAAAAAAAAAAAA/../../package.json', '/static//etc/passwd', '/static/%00', '/static/__proto__'],
      ...['/static/swagger-ui.js', '/static/constructor', '/static/%E0%A4%A'],
    ];
    for (const path of paths) {
      const answer = await server.get(path);
      expect(answer.status, path).to.equal(404);
      expect(answer.headers['cache-control'], path).to.equal('no-store');
    }
  });

  it('has an address only if there is one', () => {
    expect(() => assets().address('nothing.css')).to.throw('no asset named nothing.css');
  });

  async function download(path: string, headers: Headers): Promise<{ bytes: Buffer; headers: IncomingHttpHeaders }> {
    return new Promise((resolve, reject) => {
      get(`${server.url}${path}`, { headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ bytes: Buffer.concat(parts), headers: response.headers }));
      }).once('error', reject);
    });
  }
});
