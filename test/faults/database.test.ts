import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { createConnection } from 'mysql2/promise';
import { startPrivateServer, type TestServer as DatabaseServer } from '../../scripts/testDatabase.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { as, castOf, PASSWORD, type Cast } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { startServer, type TestServer } from '../support/server.ts';
import type { Answer } from '../support/http.ts';

const SOON_MS = 1_500 + BUSY_MACHINE_MS;

describe('a database that freezes', function () {
  this.timeout(90_000);
  let database: DatabaseServer;
  let server: TestServer;
  let cast: Cast;

  before(async () => {
    database = await startPrivateServer();
    const connection = await createConnection(database.url);
    await connection.query('CREATE DATABASE frozen CHARACTER SET utf8mb4');
    await connection.end();
    server = await startServer({ DATABASE_URL: `${database.url}frozen` });
    cast = await castOf(server);
  });
  afterEach(async () => {
    signal('SIGCONT');
    await endChildren();
  });
  after(async () => {
    await server.stop();
    await database.stop();
  });

  function signal(name: NodeJS.Signals): void {
    if (database.pid === undefined) throw new Error('the server is not ours');
    process.kill(database.pid, name);
  }

  /** A signal takes a moment to reach every thread. */
  async function freeze(): Promise<void> {
    signal('SIGSTOP');
    const file = `/proc/${database.pid ?? ''}/stat`;
    while (existsSync(file) && !/\) T /.test(await readFile(file, 'utf8'))) continue;
  }

  async function timed(asking: Promise<Answer>): Promise<Answer & { ms: number }> {
    const started = performance.now();
    const answer = await asking;
    return { ...answer, ms: performance.now() - started };
  }

  /** Asks until the answer is 200, which must come soon. */
  async function recovered(path: string): Promise<void> {
    const deadline = performance.now() + 5_000 + BUSY_MACHINE_MS;
    for (;;) {
      const { status } = await server.get(path, as(cast.alice));
      if (status === 200) return;
      expect(performance.now(), `${path} is still ${status}`).to.be.lessThan(deadline);
    }
  }

  const login = async () => server.post('/api/auth/login', { email: cast.alice.email, password: PASSWORD });

  for (const [what, ask] of Object.entries({
    health: async () => server.get('/api/health'),
    'whoever shows a token': async () => server.get('/api/v1/whoami', as(cast.alice)),
    'whoever signs in': login,
  })) {
    it(`answers ${what} by 503 within a second and a half, and by 200 when it goes on`, async () => {
      expect((await ask()).status).to.equal(200);
      await freeze();
      // The first request meets a connection that was good; later ones have to make theirs.
      for (let i = 0; i < 2; i++) {
        const answer = await timed(ask());
        expect(answer.status).to.equal(503);
        expect(answer.headers['retry-after']).to.match(/^[1-9]\d*$/);
        expect(answer.ms).to.be.lessThan(SOON_MS);
      }
      signal('SIGCONT');
      await recovered('/api/health');
      await recovered('/api/v1/whoami');
      expect((await login()).status).to.equal(200);
    });
  }

  it('answers fifty at once as fast, each by 503', async () => {
    await freeze();
    const asked = Array.from({ length: 50 }, async () => timed(server.get('/api/v1/whoami', as(cast.alice))));
    for (const { status, ms } of await Promise.all(asked)) {
      expect(status).to.equal(503);
      expect(ms).to.be.lessThan(SOON_MS);
    }
    signal('SIGCONT');
    await recovered('/api/v1/whoami');
  });

  it('still lets the process say that it lives, and what needs no database be refused', async () => {
    await freeze();
    expect((await server.get('/api/health/live')).status).to.equal(200);
    expect((await server.get('/api/v1/whoami')).status).to.equal(401);
    expect((await server.get('/api/v1/whoami', { Authorization: 'Bearer nonsense' })).status).to.equal(401);
    expect((await server.get('/nothing')).status).to.equal(404);
  });

  it('does not keep a process from ending', async () => {
    const child = await startMain({ DATABASE_URL: `${database.url}frozen`, DATA_DIR: tmpdir() });
    await child.says('"msg":"ready"');
    await freeze();
    const asked = Array.from({ length: 5 }, async () => child.client.get('/api/health'));
    for (const { status } of await Promise.all(asked)) expect(status).to.equal(503);
    child.client.close();
    const told = performance.now();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - told).to.be.lessThan(10_000 + BUSY_MACHINE_MS);
  });
});
