import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createConnection, type Connection } from 'mysql2/promise';
import { startPrivateServer, type TestServer as DatabaseServer } from '../../scripts/testDatabase.ts';
import { as, castOf, PASSWORD, type Cast } from '../support/cast.ts';
import { issue, refusal, type Key } from '../support/keys.ts';
import { startServer, startServerUnmigrated, type TestServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const SOME = 2_000;

/** What keeps an account from writing, how it comes about, how it ends, and what health says of the database meanwhile. */
interface Trouble {
  account?: string;
  begin: (connections: { root: Connection; account: () => Promise<Connection> }) => Promise<unknown>;
  end: (root: Connection) => Promise<unknown>;
  database: 'unwritable' | 'unreachable';
}

const TROUBLES: Record<string, Trouble> = {
  'has made all the changes that its account may make in an hour': {
    account: `MAX_UPDATES_PER_HOUR ${SOME}`,
    begin: async ({ account }) => spend(await account(), 'update tenants set name = name where 1 = 0'),
    end: async (root) => root.query('FLUSH USER_RESOURCES'),
    database: 'unwritable',
  },
  'has asked all the queries that its account may ask in an hour': {
    account: `MAX_QUERIES_PER_HOUR ${SOME}`,
    begin: async ({ account }) => spend(await account(), 'select 1'),
    end: async (root) => root.query('FLUSH USER_RESOURCES'),
    database: 'unreachable',
  },
  'has too little time for a statement': {
    account: 'MAX_STATEMENT_TIME 0.1',
    begin: async ({ root }) => root.query('LOCK TABLES usage_batches WRITE, audit_logs WRITE'),
    end: async (root) => root.query('UNLOCK TABLES'),
    database: 'unwritable',
  },
  'asks a server that is read-only': {
    begin: async ({ root }) => root.query('SET GLOBAL read_only = 1'),
    end: async (root) => root.query('SET GLOBAL read_only = 0'),
    database: 'unwritable',
  },
};

describe('a process that', function () {
  this.timeout(60_000);
  let database: DatabaseServer;
  let root: Connection;

  before(async () => {
    database = await startPrivateServer();
    root = await createConnection(database.url);
  });
  after(async () => {
    await root.end();
    await database.stop();
  });

  Object.entries(TROUBLES).forEach(([title, { account = '', begin, end, database: state }], index) => {
    describe(title, () => {
      const name = `limited${index}`;
      const url = () => database.url.replace('root@', `${name}:secret@`) + name;
      let server: TestServer;
      let cast: Cast;
      let key: Key;
      let revocable: Key;

      before(async () => {
        await root.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
        await root.query(`CREATE USER ${name}@'%' IDENTIFIED BY 'secret' ${account === '' ? '' : `WITH ${account}`}`);
        await root.query(`GRANT ALL ON ${name}.* TO ${name}@'%'`);
        await root.query(`USE ${name}`);
        const first = await startServer({ DATABASE_URL: `${database.url}${name}` });
        cast = await castOf(first);
        key = await issue(first, as(cast.alice));
        revocable = await issue(first, as(cast.alice));
        await first.stop();
        server = await startServerUnmigrated({ DATABASE_URL: url() });
      });
      after(async () => server.stop());

      it('answers by 503, keeps every use it answered for, and counts them when it may again', async () => {
        const { counts } = server.services.usage;
        const visitor = new Visitor(server);
        const revoke = async () => server.post(`/api/api-keys/${revocable.id}/revoke`, {}, as(cast.alice));
        await useKey(20);
        await begin({ root, account: async () => createConnection(url()) });
        try {
          if (state === 'unwritable') await useKey(10);
          // As often as the database once had to refuse something for it to be given up.
          for (let i = 0; i < 4; i++) await server.services.usage.flush();
          const refused = await revoke();
          refusal(refused, 503, 'temporarily_unavailable');
          expect(refused.headers['retry-after']).to.match(/^[1-9]\d*$/);
          const page = await visitor.signIn(cast.alice.email, PASSWORD);
          expect([page.status, page.headers['retry-after']]).to.deep.equal([503, '1']);
          expect(page.headers['content-type']).to.match(/^text\/html/);
          const health = await server.get('/api/health');
          expect(health.status).to.equal(503);
          expect(health.body).to.include({ status: 'unavailable', database: state, journal: 'ok' });
        } finally {
          await end(root);
        }
        await until(async () => {
          await server.services.usage.flush();
          return counts.written === counts.recorded;
        });
        expect(counts).to.include({ recorded: state === 'unwritable' ? 30 : 20, refused: 0, lost: 0 });
        expect((await revoke()).status).to.equal(200);
        await until(async () => (await server.get('/api/health')).status === 200);
      });

      async function useKey(times: number): Promise<void> {
        for (let i = 0; i < times; i++) {
          expect((await server.get('/api/v1/whoami', { 'x-api-key': key.key })).status).to.equal(200);
        }
      }
    });
  });
});

/** Sends the statement until the account is told that it has had enough. */
async function spend(connection: Connection, statement: string): Promise<void> {
  try {
    for (let i = 0; i <= SOME; i++) await connection.query(statement);
  } catch (error) {
    expect((error as { errno?: unknown }).errno).to.equal(1226);
    return;
  } finally {
    connection.destroy();
  }
  throw new Error('the account may do as much as it likes');
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it did not come about in 20 s');
    await delay(25);
  }
}
