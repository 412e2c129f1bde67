import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import { problemOf } from '../../../app/errors.ts';
import { connect, isSqlite, type Db } from '../../../db/connection/connect.ts';
import { faultCode, isRefused, isUnavailable } from '../../../db/connection/faults.ts';
import { fromJson } from '../../../db/sql/jsonRows.ts';
import { createTable } from '../../../db/migrations/steps.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

const TABLE = createTable('things', ({ table, id }) => {
  id('id').primary();
  table.integer('size').notNullable();
  table.string('name', 5);
});

onEachDatabase('a statement', (database) => {
  let db: Db;
  before(async () => {
    db = connect(readConfig({ JWT_SECRET, ...database.env() }).database);
    await TABLE.up(db);
    await db('things').insert({ id: 'a', size: 1 });
  });
  after(() => db.destroy());

  const IN_JSON = [
    { name: 'id', type: 'varchar(255)', path: '[0]' },
    { name: 'size', type: 'bigint', path: '[1]' },
  ] as const;
  const refused: Record<string, () => PromiseLike<unknown>> = {
    'that breaks a unique index': () => db('things').insert({ id: 'a', size: 1 }),
    'that leaves out what must be there': () => db('things').insert({ id: 'b', size: null }),
    'with a syntax that is none': () => db.raw('insrt into things'),
    'with JSON that is none': () =>
      db.raw(`insert into things (id, size) select id, size from ${fromJson(db, IN_JSON)}`, ['[[']),
  };
  for (const [title, send] of Object.entries(refused)) {
    it(`${title} is refused for what is in it, which is no trouble of the database`, async () => expectRefused(send()));
  }

  it('with a value too long or of the wrong kind is refused by a server', async () => {
    if (isSqlite(db)) return;
    await expectRefused(db('things').insert({ id: 'c', size: 1, name: 'too long' }));
    await expectRefused(db('things').insert({ id: 'c', size: 'many' }));
    await expectRefused(db('things').insert({ id: 'c', size: 1e12 }));
  });

  it('on a table or column that is not there yet can be sent again later', async () => {
    for (const sent of [db('nothing').select(), db('things').select('colour')]) {
      const error = await failureOf(sent);
      expect([isRefused(error), isUnavailable(error)]).to.deep.equal([false, true]);
    }
  });

  it('that SQLite has no page left for is told by that, not by the transaction that is over with it', async () => {
    if (!isSqlite(db)) return;
    const [{ page_count: pages }] = (await db.raw('pragma page_count')) as [{ page_count: number }];
    await db.raw(`pragma max_page_count = ${pages}`);
    const error = await failureOf(
      db.transaction(async (trx) => trx('things').insert({ id: 'big', size: 1, name: 'x'.repeat(100_000) })),
    );
    await db.raw('pragma max_page_count = 1000000');
    expect(faultCode(error)).to.equal('SQLITE_FULL');
    expect(isUnavailable(error)).to.equal(true);
    await db('things').insert({ id: 'small', size: 1 });
  });
});

describe('a fault', () => {
  /** As the driver gives what a server says. */
  const serverSays = (errno: number, sqlState: string) =>
    Object.assign(new Error('in its own words'), { errno, sqlState, sqlMessage: 'in its own words' });

  for (const [what, errno, sqlState] of [
    ['a limit of the account', 1226, '42000'],
    ['a node without a quorum', 1047, '08S01'],
    ['a statement that took too long on MariaDB', 1969, '70100'],
    ['a statement that took too long on MySQL', 3024, 'HY000'],
    ['a server that is going offline', 3032, 'HY000'],
    ['an account that is locked', 3118, 'HY000'],
    ['a password that has expired', 1862, 'HY000'],
    ['too many connections', 1040, '08004'],
    ['too many connections of a user', 1203, '42000'],
    ['a full disk', 1021, 'HY000'],
    ['a full table', 1114, 'HY000'],
    ['a read-only server', 1290, 'HY000'],
    ['a read-only mode', 1836, 'HY000'],
    ['a commit that a plugin stopped', 3100, 'HY000'],
    ['something that nobody has heard of yet', 59_999, 'HY000'],
  ] as const) {
    it(`of a server that means ${what} is answered by 503 with Retry-After`, () => {
      const problem = problemOf(serverSays(errno, sqlState));
      expect([problem.status, problem.code]).to.deep.equal([503, 'temporarily_unavailable']);
      expect(problem.headers).to.have.property('Retry-After');
    });
  }

  for (const [name, code] of [
    ['SQLITE_FULL', 13],
    ['SQLITE_IOERR', 10],
    ['SQLITE_READONLY', 8],
    ['SQLITE_CANTOPEN', 14],
    ['SQLITE_BUSY', 5],
    ['SQLITE_CORRUPT', 11],
    ['SQLITE_IOERR_WRITE', 778],
  ] as const) {
    it(`of SQLite that is ${name} is answered by 503`, () => {
      const error = Object.assign(new Error('in its own words'), { code: 'ERR_SQLITE_ERROR', sqliteCode: code });
      expect(problemOf(error).status).to.equal(503);
    });
  }

  it('of our own code is answered by 500', () => {
    for (const error of [new TypeError('no'), new RangeError('no'), new Error('no'), 'no', undefined]) {
      expect(problemOf(error).status).to.equal(500);
      expect(isRefused(error)).to.equal(false);
    }
    expect(problemOf(Object.assign(new Error('no'), { code: 'ENOENT', errno: -2, syscall: 'open' })).status).to.equal(
      500,
    );
  });
});

async function expectRefused(sent: PromiseLike<unknown>): Promise<void> {
  const error = await failureOf(sent);
  expect([isRefused(error), isUnavailable(error)], faultCode(error)).to.deep.equal([true, false]);
}

async function failureOf(sent: PromiseLike<unknown>): Promise<unknown> {
  try {
    await sent;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
