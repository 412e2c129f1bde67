import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect as dial, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../app/config.ts';
import type { MysqlConfig } from '../../db/connection/settings.ts';
import { migrate } from '../../db/migrate.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { endChildren, freePort, startMain } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { JWT_SECRET } from '../support/server.ts';

const PROMPTLY_MS = 5_000 + BUSY_MACHINE_MS;

/** What the process says when it gives up: one line that a person can act on. */
function expectOneLine(stderr: string, line: RegExp): void {
  expect(stderr).to.match(/^[^\n]+\n$/);
  expect(stderr).to.match(line);
  expect(stderr).not.to.match(/node:|\bat .*:\d+/);
}

describe('starting', function () {
  this.timeout(90_000);
  let folder: string;
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'latchkey-start-'))));
  afterEach(endChildren);
  after(() => rm(folder, { recursive: true, force: true }));

  /** The options of a process that says at its end which packages it has loaded. */
  async function listingPackages(): Promise<string> {
    const listing = path.join(folder, 'listing.cjs');
    const packages = 'Object.keys(require.cache).map((file) => /node_modules.((@[^/]+.)?[^/]+)/.exec(file)?.[1])';
    await writeFile(listing, `process.on('exit', () => console.log('loaded', [...new Set(${packages})].join(' ')));`);
    return `--require ${listing}`;
  }

  it('on nothing at all serves, loads no driver of a server and no metrics, and keeps the secret it made for itself', async () => {
    const DATA_DIR = path.join(folder, 'fresh', 'deep');
    const env = { DATA_DIR, JWT_SECRET: undefined, NODE_OPTIONS: await listingPackages() };
    const secretFile = path.join(DATA_DIR, 'jwt-secret');
    const first = await startMain(env);
    await first.says('"msg":"ready"');
    expect((await first.client.get('/api/health')).status).to.equal(200);
    const secret = await readFile(secretFile, 'utf8');
    expect(secret).to.match(/^[0-9a-f]{64}$/);
    expect((await stat(secretFile)).mode & 0o777).to.equal(0o600);
    first.client.close();
    first.kill('SIGTERM');
    expect(await first.ended).to.deep.equal({ code: 0, signal: null });
    expect(first.stdout + first.stderr).not.to.include(secret);
    expect(first.stdout)
      .to.match(/^loaded .*\bknex\b/m)
      .and.not.to.match(/^loaded .*\b(mysql2|prom-client)\b/m);

    const second = await startMain(env);
    await second.says('"msg":"ready"');
    expect(await readFile(secretFile, 'utf8')).to.equal(secret);
  });

  it('with a wrong variable ends with one line that names it, before the code of the server is loaded', async () => {
    const child = await startMain({ DATA_DIR: folder, KEY_LIMIT: 'many', NODE_OPTIONS: await listingPackages() });
    expect(await child.ended).to.deep.equal({ code: 1, signal: null });
    expectOneLine(child.stderr, /^KEY_LIMIT is "many": it takes requests\/seconds/);
    expect(child.stdout)
      .to.match(/^loaded .*\n$/)
      .and.not.to.match(/\b(knex|koa)\b/);
  });

  it('with a file of scopes that is wrong ends with one line that names the file, the entry and the reason', async () => {
    const file = path.join(folder, 'wrong.json');
    const cases: [string, RegExp][] = [
      ['{', /^SCOPES_FILE \S+wrong\.json is not JSON$/m],
      ['[]', /^SCOPES_FILE \S+wrong\.json must be an object/],
      [
        '{"scopes": [{"scope": "a:read", "description": {"en": "A."}}, {"scope": "users:read", "description": {"en": "B."}}]}',
        /^SCOPES_FILE \S+wrong\.json is wrong at scopes\.1\.scope: Latchkey has this name for itself$/m,
      ],
    ];
    for (const [text, line] of cases) {
      await writeFile(file, text);
      const child = await startMain({ DATA_DIR: folder, SCOPES_FILE: file });
      expect(await child.ended).to.deep.equal({ code: 1, signal: null });
      expectOneLine(child.stderr, line);
    }
  });

  it('with a file of scopes offers these, lets nobody change them, and warns of keys whose scope is gone', async () => {
    const file = path.join(folder, 'scopes.json');
    const owner = { OWNER_EMAIL: 'ann@acme.example', OWNER_PASSWORD: 'correct horse battery', TENANT_NAME: 'Acme' };
    const env = { DATA_DIR: path.join(folder, 'scopes'), JWT_SECRET: undefined, SCOPES_FILE: file, ...owner };
    const write = async (...names: string[]) => {
      const scopes = names.map((scope) => ({ scope, description: { en: 'Does something.' } }));
      // With the byte order mark that some editors write.
      await writeFile(file, `\uFEFF${JSON.stringify({ scopes })}`);
    };
    await write('fares:read', 'fares:write');
    const first = await startMain(env);
    await first.says('"msg":"ready"');
    const login = await first.client.post('/api/auth/login', {
      email: owner.OWNER_EMAIL,
      password: owner.OWNER_PASSWORD,
    });
    const by = { Authorization: `Bearer ${(login.body as { token: string }).token}` };
    const made = await first.client.post('/api/v1/api-keys', { name: 'x', scopes: ['fares:write'] }, by);
    expect(made.status, made.text).to.equal(201);
    const put = await first.client.send('PUT', '/api/v1/scopes', { json: { scopes: [] }, headers: by });
    expect([put.status, (put.body as { code: string }).code]).to.deep.equal([409, 'managed_by_file']);
    first.client.close();
    first.kill('SIGTERM');
    await first.ended;

    await write('fares:read');
    const second = await startMain(env);
    await second.says('"msg":"ready"');
    expect(second.stdout).to.match(/"scope":"fares:write","keys":1.*not in the catalogue any more/);
    const { body } = await second.client.get('/api/v1/scopes', by);
    expect((body as { scopes: { scope: string }[] }).scopes.map(({ scope }) => scope)).to.deep.equal(['fares:read']);
  });

  it('on a port somebody has ends with one line that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const child = await startMain({ DATA_DIR: path.join(folder, 'port'), PORT: String(port) });
    expect(await child.ended).to.deep.equal({ code: 1, signal: null });
    expectOneLine(child.stderr, new RegExp(`^PORT ${port} is already in use`));
    other.close();
  });

  it('on an address of another machine ends with one line that names it', async () => {
    const child = await startMain({ DATA_DIR: path.join(folder, 'host'), HOST: '192.0.2.1' });
    expect(await child.ended).to.deep.equal({ code: 1, signal: null });
    expectOneLine(child.stderr, /^HOST 192\.0\.2\.1 is no address of this machine/);
  });

  it('in a folder that cannot be made ends with one line that names it, whoever makes the secret', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    // Below /proc no folder can be made.
    const proc = process.platform === 'linux' ? '/proc/latchkey' : path.join(file, 'deep', 'data');
    for (const [DATA_DIR, secret] of [
      [path.join(file, 'data'), JWT_SECRET],
      [proc, undefined],
    ] as const) {
      const child = await startMain({ DATA_DIR, JWT_SECRET: secret });
      expect(await child.ended).to.deep.equal({ code: 1, signal: null });
      expectOneLine(child.stderr, new RegExp(`^DATA_DIR ${DATA_DIR} cannot be used \\(E[A-Z]+\\)`));
    }
  });

  it('on a file that is no database ends with one line that names the file, and leaves it alone', async () => {
    const DATA_DIR = await mkdtemp(path.join(folder, 'other-'));
    const file = path.join(DATA_DIR, 'latchkey.db');
    const content = 'this is no database, but perhaps somebody needs it'.repeat(20);
    await writeFile(file, content);
    await chmod(file, 0o600);
    const child = await startMain({ DATA_DIR });
    expect(await child.ended).to.deep.equal({ code: 1, signal: null });
    expectOneLine(child.stderr, new RegExp(`^${file} is no SQLite database: move it away, or set DATA_DIR`));
    expect(await readFile(file, 'utf8')).to.equal(content);
  });
});

onDatabase('mysql', 'starting without its database', function (database) {
  const servers: Server[] = [];
  afterEach(async () => {
    await endChildren();
    for (const server of servers.splice(0)) server.close();
  });

  const config = () => readConfig({ JWT_SECRET, ...database.env() }).database as MysqlConfig;

  /** The URL of this suite's database by way of another port. */
  function urlThrough(port: number, credentials = ''): string {
    const url = new URL(database.env().DATABASE_URL ?? '');
    url.host = `${credentials}127.0.0.1:${port}`;
    return credentials ? `mysql://${credentials}@127.0.0.1:${port}${url.pathname}` : url.href;
  }

  async function forward(port: number): Promise<void> {
    const target = config();
    const server = createServer((client) => {
      const there = dial(target.port, target.host);
      client.pipe(there).on('error', () => client.destroy());
      there.pipe(client).on('error', () => there.destroy());
    }).listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
  }

  it('waits for it in clear words, then for its migration, and then serves', async function () {
    this.timeout(90_000);
    const port = await freePort();
    const child = await startMain({ ...database.env(), DATABASE_URL: urlThrough(port) });
    await child.says('the database does not answer (ECONNREFUSED); trying again each second');
    const away = await child.client.get('/api/health');
    expect(away.status).to.equal(503);
    expect(away.body).to.include({ database: 'unreachable' });

    await forward(port);
    await child.says('the database is not migrated yet: run \\"npm run -s admin -- migrate\\"');
    expect((await child.client.get('/api/health')).body).to.include({ database: 'ok', migrations: 'pending' });

    await migrate(config());
    await child.says('"msg":"ready"');
    expect((await child.client.get('/api/health')).status).to.equal(200);
    child.client.close();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(child.stderr).to.equal('');
  });

  it('says that its credentials are refused, without them, and ends well when told to', async function () {
    this.timeout(90_000);
    const child = await startMain({ ...database.env(), DATABASE_URL: urlThrough(config().port, 'nobody:canary') });
    await child.says('the database refuses the user or password of its URL (ER_ACCESS_DENIED_ERROR)');
    expect((await child.client.get('/api/health')).status).to.equal(503);
    child.client.close();
    const told = performance.now();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - told).to.be.lessThan(PROMPTLY_MS);
    expect(child.stdout + child.stderr).not.to.include('canary');
  });

  it('ends promptly when told to, even if the database takes the call and never speaks', async function () {
    this.timeout(90_000);
    const silent = createServer().listen(0, '127.0.0.1');
    servers.push(silent);
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const child = await startMain({ ...database.env(), DATABASE_URL: urlThrough(port) });
    await once(silent, 'connection');
    const told = performance.now();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - told).to.be.lessThan(PROMPTLY_MS);
  });
});
