import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { startPrivateServer, type TestServer as DatabaseServer } from '../../../scripts/testDatabase.ts';
import { readConfig } from '../../../app/config.ts';
import { migrate } from '../../../db/migrate.ts';
import { as, castOf, type Cast } from '../../support/cast.ts';
import { endChildren, startMain } from '../../support/child.ts';
import { JWT_SECRET, startServerUnmigrated } from '../../support/server.ts';

const ALLOWED = 5;
/** A request that has waited so long for a connection may be refused, as it is on a machine that is too busy to open one. */
const SHORTEST_WAIT_MS = 400;

describe("an account's limit of connections", function () {
  this.timeout(30_000);
  let database: DatabaseServer;
  let root: Connection;
  let folder: string;
  let cast: Cast;
  let urlOf: (user: string) => string;

  before(async () => {
    database = await startPrivateServer();
    root = await createConnection(database.url);
    await root.query('CREATE DATABASE latchkey CHARACTER SET utf8mb4');
    await root.query(`CREATE USER few@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS ${ALLOWED}`);
    await root.query(`CREATE USER many@'%' IDENTIFIED BY 'many'`);
    for (const user of ['few', 'many']) await root.query(`GRANT ALL ON latchkey.* TO ${user}@'%'`);
    urlOf = (user) => database.url.replace('root@', `${user}:${user}@`) + 'latchkey';
    folder = await mkdtemp(path.join(tmpdir(), 'latchkey-limit-'));
    await migrate(readConfig({ JWT_SECRET, DATABASE_URL: urlOf('many') }).database);
    const server = await startServerUnmigrated({ DATABASE_URL: urlOf('many'), DATA_DIR: folder });
    cast = await castOf(server);
    await server.stop();
  });
  afterEach(endChildren);
  after(async () => {
    await root.end();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function burst(env: Record<string, string>, eachTime: () => Promise<void>): Promise<Set<number>> {
    const server = await startServerUnmigrated({ DATA_DIR: folder, ...env });
    const statuses = new Set<number>();
    const create = async (name: string) => (await server.post('/api/projects', { name }, as(cast.alice))).status;
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 8 }, async (_, i) => {
        const sentAt = performance.now();
        const status = await create(`project ${i}`);
        const waited = status === 503 && performance.now() - sentAt >= SHORTEST_WAIT_MS;
        // By then there are connections, and one of them becomes free.
        statuses.add(waited ? await create(`project ${i}`) : status);
      });
      await Promise.all([...asked, eachTime()]);
      await eachTime();
    }
    await server.stop();
    return statuses;
  }

  it('makes requests wait for a connection of their process, and refuses none at once', async () => {
    const statuses = await burst({ DATABASE_URL: urlOf('few') }, async () => undefined);
    expect(statuses).to.deep.equal(new Set([201]));
  });

  it('is kept by a process, which opens no more than DATABASE_CONNECTIONS', async () => {
    let most = 0;
    const statuses = await burst({ DATABASE_URL: urlOf('many'), DATABASE_CONNECTIONS: '6' }, async () => {
      const [rows] = await root.query<RowDataPacket[]>(
        "SELECT count(*) AS open FROM information_schema.processlist WHERE user = 'many'",
      );
      most = Math.max(most, Number(rows[0]?.['open']));
    });
    expect(statuses).to.deep.equal(new Set([201]));
    expect(most).to.be.within(2, 6);
  });

  it('makes a start wait that finds all connections taken, which it says, and serves when one is free', async () => {
    const others = await Promise.all(Array.from({ length: ALLOWED }, async () => createConnection(urlOf('few'))));
    const child = await startMain({ DATABASE_URL: urlOf('few'), DATA_DIR: folder });
    await child.says('up to 8 database connections (DATABASE_CONNECTIONS)');
    await child.says('the database allows no more connections');
    expect(child.stdout).to.include('(ER_USER_LIMIT_REACHED); trying again each second');
    await Promise.all(others.map(async (other) => other.end()));
    await child.says('"msg":"ready"');
    expect((await child.client.post('/api/projects', { name: 'last' }, as(cast.alice))).status).to.equal(201);
    child.client.close();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(child.stderr).to.equal('');
  });
});
