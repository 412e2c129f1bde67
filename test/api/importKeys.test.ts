import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { auditOf, issue, keyOf, refusal, tried, type Key } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

interface Report {
  dryRun: boolean;
  imported: number;
  present: number;
  refused: number;
  lines: { line: number; outcome: string; id?: string; errors?: { path: string; message: string }[] }[];
}

const PATH = '/api/v1/api-keys/import';
let count = 0;
/** The text of a key of another issuer. */
const foreign = () => `sk_other_${String(++count).padStart(4, '0')}_AbCdEfGhIjKlMnOp`;
const hashOf = (text: string, encoding: 'hex' | 'base64' | 'base64url' = 'hex') =>
  createHash('sha256').update(text).digest(encoding);

onEachDatabase('importing keys that were issued elsewhere', (database) => {
  const { server, alice, charlie } = useServer(database);
  const other = useServerWithoutCast(database);

  const send = async (body: string, { query = '', type = 'application/x-ndjson', by = as(alice) } = {}) =>
    server.send('POST', `${PATH}${query}`, { body, headers: { ...by, 'Content-Type': type } });
  const jsonLines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const reportOf = async (...given: Parameters<typeof send>): Promise<Report> => {
    const { status, body, text } = await send(...given);
    expect(status, text).to.equal(200);
    return body as Report;
  };

  it('finds no key of another form, and asks the database about none, until the first one is imported', async () => {
    const text = foreign();
    expect(await tried(server, text)).to.equal('401 invalid_key');
    const asked: string[] = [];
    const { lookup } = server.services;
    const { key } = lookup;
    lookup.key = async (hash) => {
      asked.push(hash);
      return key(hash);
    };
    expect(await tried(server, text)).to.equal('401 invalid_key');
    expect(asked).to.deep.equal([]);
    lookup.key = key;

    const report = await reportOf(jsonLines({ name: 'first', hash: hashOf(text), scopes: ['projects:read'] }));
    expect(report).to.deep.include({ imported: 1, present: 0, refused: 0 });
    expect(await tried(server, text)).to.equal('200');
    await other.services.keyTexts.refresh();
    expect(await tried(other, text)).to.equal('200');
    expect(await tried(other, foreign())).to.equal('401 invalid_key');
  });

  it('takes each way to write a SHA-256, and the keys work, rotate and are revoked like any other', async () => {
    const texts = [foreign(), foreign(), foreign(), foreign(), foreign()];
    const [hex, upper, base64, url, padded] = texts as [string, string, string, string, string];
    const hashes = [
      hashOf(hex),
      hashOf(upper).toUpperCase(),
      hashOf(base64, 'base64'),
      hashOf(url, 'base64url'),
      `${hashOf(padded, 'base64url')}=`,
    ];
    const { lines, imported } = await reportOf(
      jsonLines(
        ...hashes.map((hash, n) => ({
          name: `key ${n}`,
          hash,
          prefix: 'sk_other_',
          lastFour: 'MnOp',
          scopes: ['projects:read'],
          externalId: `customer-${n}`,
          metadata: { plan: 'pro' },
        })),
      ),
    );
    expect(imported).to.equal(5);
    for (const text of texts) {
      expect(await tried(server, text)).to.equal('200');
      expect((await server.get('/api/v1/projects', { Authorization: `Bearer ${text}` })).status).to.equal(200);
    }
    refusal(await server.post('/api/v1/projects', { name: 'x' }, { 'x-api-key': hex }), 403, 'insufficient_scope');
    const id = lines[0]?.id ?? '';
    const shown = keyOf(await server.get(`/api/v1/api-keys/${id}`, as(alice)), 200);
    expect(shown).to.deep.include({ keyPrefix: 'sk_other_', lastFour: 'MnOp', externalId: 'customer-0' });
    expect((await auditOf(server, as(alice), id)).map(({ action }) => action)).to.deep.equal(['API_KEY_IMPORTED']);
    const rotated = keyOf(await server.post(`/api/v1/api-keys/${id}/rotate`, {}, as(alice)), 200);
    expect([await tried(server, hex), await tried(server, rotated.key)]).to.deep.equal(['401 key_revoked', '200']);
    expect((await server.post(`/api/v1/api-keys/${lines[1]?.id}/revoke`, {}, as(alice))).status).to.equal(200);
    expect(await tried(server, upper)).to.equal('401 key_revoked');
    const verifier = { 'x-api-key': (await issue(server, as(alice), { scopes: ['keys:verify'] })).key };
    const verdict = await server.post('/api/v1/keys/verify', { key: base64 }, verifier);
    expect(verdict.body).to.deep.include({ valid: true, externalId: 'customer-2' });
  });

  it('changes nothing the second time, and nothing at all in a dry run', async () => {
    const text = foreign();
    const body = jsonLines({ name: 'again', hash: hashOf(text), scopes: ['read'] });
    expect(await reportOf(body, { query: '?dryRun=true' })).to.deep.equal({
      dryRun: true,
      imported: 1,
      present: 0,
      refused: 0,
      lines: [{ line: 1, outcome: 'imported' }],
    });
    expect(await tried(server, text)).to.equal('401 invalid_key');
    const [first] = (await reportOf(body)).lines;
    expect(await reportOf(body)).to.deep.include({ imported: 0, present: 1, refused: 0 });
    expect((await reportOf(body)).lines).to.deep.equal([{ line: 1, outcome: 'present', id: first?.id }]);
    expect(await auditOf(server, as(alice), first?.id ?? '')).to.have.length(1);
  });

  it('reads a CSV, and names each refused line with its reason, without the good ones unless that is asked for', async () => {
    const [good, twice, theirs] = [foreign(), foreign(), foreign()];
    await reportOf(jsonLines({ name: 'of Globex', hash: hashOf(theirs), scopes: ['read'] }), { by: as(charlie) });
    const csv = [
      'name,hash,scopes,expiresAt,metadata,monthlyQuota,description',
      `"Good, with a comma",${hashOf(good)},"projects:read orders:read",2999-01-01T00:00:00Z,"{""team"":""a""}",100,`,
      `no hash,abc,read,,,,`,
      `twice,${hashOf(twice)},read,,,,`,
      `twice,${hashOf(twice, 'base64')},read,,,,"two\nlines"`,
      `theirs,${hashOf(theirs)},read,,,,`,
      `unknown,${hashOf(foreign())},nothing:read,,,,`,
      `past,${hashOf(foreign())},read,2001-01-01T00:00:00Z,,,`,
      `short,${hashOf(foreign())}`,
    ].join('\r\n');
    const report = await reportOf(csv, { type: 'text/csv' });
    expect(report).to.deep.include({ imported: 0, present: 0, refused: 6 });
    expect(report.lines.map(({ line, outcome, errors = [] }) => [line, outcome, errors[0]?.path])).to.deep.equal([
      [2, 'held_back', undefined],
      [3, 'refused', 'hash'],
      [4, 'held_back', undefined],
      [5, 'refused', 'hash'],
      [7, 'refused', 'hash'],
      [8, 'refused', 'scopes.0'],
      [9, 'refused', 'expiresAt'],
      [10, 'refused', ''],
    ]);
    expect(await tried(server, good)).to.equal('401 invalid_key');
    const skipped = await reportOf(csv, { type: 'text/csv', query: '?skipBad=true' });
    expect(skipped).to.deep.include({ imported: 2, refused: 6 });
    expect(await tried(server, good)).to.equal('200');
    const key = keyOf(await server.get(`/api/v1/api-keys/${skipped.lines[0]?.id}`, as(alice)), 200) as Key & {
      metadata: object;
      monthlyQuota: number;
    };
    expect(key).to.deep.include({ name: 'Good, with a comma', metadata: { team: 'a' }, monthlyQuota: 100 });
    expect(key.scopes).to.deep.equal(['projects:read', 'orders:read']);
  });

  it('holds a key that imports to its own bounds, and everybody without the right to make keys out', async () => {
    const body = jsonLines({ name: 'more', hash: hashOf(foreign()), scopes: ['orders:read'] });
    await server.post('/api/v1/security-center/settings', { keysMayManageKeys: true }, as(alice));
    const key = await issue(server, as(alice), { scopes: ['api-keys:write', 'projects:read'] });
    const by: Headers = { 'x-api-key': key.key };
    expect(await reportOf(body, { by })).to.deep.include({ imported: 0, refused: 1 });
    await server.post('/api/v1/security-center/settings', { keysMayManageKeys: false }, as(alice));
    refusal(await send(body, { by }), 403, 'insufficient_permission');
    const reader = { 'x-api-key': (await issue(server, as(alice), { scopes: ['*'] })).key };
    refusal(await send(body, { by: reader }), 403, 'insufficient_permission');
  });

  it('refuses a body of another type, one that is no CSV, and one that is too large', async () => {
    refusal(await send('{}', { type: 'application/json' }), 415, 'unsupported_media_type');
    refusal(await send('name,"hash', { type: 'text/csv' }), 400, 'bad_request');
    refusal(await send(`name,name\r\na,b`, { type: 'text/csv' }), 400, 'bad_request');
    refusal(await send('x'.repeat(5 * 1024 * 1024 + 1)), 413, 'body_too_large');
    refusal(await send('{}\n'.repeat(5_001)), 413, 'body_too_large');
    refusal(await send('', { query: '?skip=true' }), 400, 'invalid_query');
    expect(await reportOf('not json\n\n{"name":"x"}')).to.deep.include({ imported: 0, refused: 2 });
  });

  it('counts each imported key by itself, though many share a prefix', async () => {
    const [one, two] = [foreign(), foreign()];
    const rateLimit = { limit: 1, windowSeconds: 3_600 };
    const row = { prefix: 'sk_other_', scopes: ['read'], rateLimit };
    await reportOf(jsonLines({ ...row, name: 'one', hash: hashOf(one) }, { ...row, name: 'two', hash: hashOf(two) }));
    const outcomes = [];
    for (const text of [one, two, one]) outcomes.push(await tried(server, text));
    expect(outcomes).to.deep.equal(['200', '200', '429 rate_limited']);
  });
});
