import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import type { DatabaseConfig } from '../../../db/connection/settings.ts';
import { connect, transaction, type Db } from '../../../db/connection/connect.ts';
import { isUnavailable } from '../../../db/connection/faults.ts';
import { createTable } from '../../../db/migrations/steps.ts';
import { openSqlite } from '../../../db/connection/sqlite.ts';
import { writeRows } from '../../../db/sql/jsonRows.ts';
import { BUSY_MACHINE_MS } from '../../support/busyMachine.ts';
import { onDatabase, onEachDatabase, type TestDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

interface Account {
  id: string;
  balance: number;
}

const STEP = createTable('accounts', ({ table, id }) => {
  id('id').primary();
  table.integer('balance');
});

const accounts = (db: Db) => db<Account>('accounts');

async function balanceOf(db: Db, id: string): Promise<number | undefined> {
  return (await accounts(db).where({ id }).first())?.balance;
}

/** A pool on two accounts of 100 each. */
function openAccounts(database: TestDatabase): { db: () => Db; config: () => DatabaseConfig } {
  let db: Db;
  const config = () => readConfig({ JWT_SECRET, ...database.env() }).database;
  before(async () => {
    db = connect(config());
    await STEP.up(db);
  });
  beforeEach(async () => {
    await accounts(db).delete();
    await accounts(db).insert([
      { id: 'a', balance: 100 },
      { id: 'b', balance: 100 },
    ]);
  });
  after(() => db.destroy());
  return { db: () => db, config };
}

/** Resolves for everybody once so many have come. */
function meeting(expected: number): () => Promise<void> {
  let come = 0;
  let open: () => void;
  const all = new Promise<void>((resolve) => (open = resolve));
  return async () => {
    if (++come >= expected) open();
    await all;
  };
}

async function failureOf(work: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const started = performance.now();
  try {
    await work;
  } catch (error) {
    return { error, ms: performance.now() - started };
  }
  throw new Error('it did not fail');
}

onEachDatabase('a transaction', (database) => {
  const { db } = openAccounts(database);

  it('leaves nothing behind when its work fails, and passes the failure on', async () => {
    const failure = new Error('no');
    const { error } = await failureOf(
      transaction(db(), async (trx) => {
        await accounts(trx).where({ id: 'a' }).update({ balance: 0 });
        throw failure;
      }),
    );
    expect(error).to.equal(failure);
    expect(await balanceOf(db(), 'a')).to.equal(100);
  });

  it('gives what its work gives', async () => {
    expect(await transaction(db(), async (trx) => balanceOf(trx, 'a'))).to.equal(100);
  });

  it('is not run again for a failure of its own', async () => {
    let runs = 0;
    await failureOf(
      transaction(db(), async (trx) => {
        runs++;
        await accounts(trx).insert({ id: 'a', balance: 1 });
      }),
    );
    expect(runs).to.equal(1);
  });

  it('loses no update among ten at once', async () => {
    const add = async () =>
      transaction(db(), async (trx) => {
        const row = await accounts(trx).where({ id: 'a' }).forUpdate().first();
        await accounts(trx)
          .where({ id: 'a' })
          .update({ balance: (row?.balance ?? 0) + 1 });
      });
    await Promise.all(Array.from({ length: 10 }, add));
    expect(await balanceOf(db(), 'a')).to.equal(110);
  });

  it('of its own writes many rows all or none, where one of them is refused', async () => {
    const add = async (ids: string[]) =>
      writeRows(
        db(),
        { id: 'varchar(255)', balance: 'bigint' },
        ids.map((id) => ({ id, balance: 1 })),
        (from) => `insert into accounts (id, balance) select id, balance from ${from}`,
      );
    await failureOf(add(['c', 'd', 'a']));
    expect(await balanceOf(db(), 'c')).to.equal(undefined);
    await add(['c', 'd']);
    expect([await balanceOf(db(), 'c'), await balanceOf(db(), 'd')]).to.deep.equal([1, 1]);
  });
});

onDatabase('mysql', 'a transaction', (database) => {
  const { db } = openAccounts(database);

  it('that loses a deadlock is run again from its start, and both get through', async () => {
    const meet = meeting(2);
    let runs = 0;
    const move = async (first: string, second: string) =>
      transaction(db(), async (trx) => {
        runs++;
        await accounts(trx).where({ id: first }).decrement('balance', 10);
        await meet();
        await accounts(trx).where({ id: second }).increment('balance', 10);
      });
    await Promise.all([move('a', 'b'), move('b', 'a')]);
    expect(runs).to.equal(3);
    expect([await balanceOf(db(), 'a'), await balanceOf(db(), 'b')]).to.deep.equal([100, 100]);
  });

  it('that only ever loses gives up after five runs, as a database that is away', async () => {
    let runs = 0;
    const deadlock = "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'deadlock'";
    const { error } = await failureOf(
      transaction(db(), async (trx) => {
        runs++;
        await trx.raw(deadlock);
      }),
    );
    expect(runs).to.equal(5);
    expect(isUnavailable(error)).to.equal(true);
  });

  it('that waits for a row somebody keeps gives up within two seconds and a half', async () => {
    const keeper = await db().transaction();
    await accounts(keeper).where({ id: 'a' }).update({ balance: 1 });
    const { error, ms } = await failureOf(
      transaction(db(), async (trx) => accounts(trx).where({ id: 'a' }).update({ balance: 2 })),
    );
    await keeper.rollback();
    expect(isUnavailable(error)).to.equal(true);
    expect(ms).to.be.lessThan(2_500 + BUSY_MACHINE_MS);
    expect(await balanceOf(db(), 'a')).to.equal(100);
  });
});

onDatabase('sqlite', 'a transaction', (database) => {
  const { db, config } = openAccounts(database);

  /** Another process, as far as the file can tell. */
  function lockFile(): () => void {
    const { file } = config() as { file: string };
    const other = openSqlite(file);
    try {
      other.exec('BEGIN IMMEDIATE');
      other.exec("UPDATE accounts SET balance = balance + 1 WHERE id = 'a'");
    } catch (error) {
      other.close();
      throw error;
    }
    return () => {
      other.exec('COMMIT');
      other.close();
    };
  }

  it("waits for another process's write and then goes through, while this process goes on", async () => {
    const unlock = lockFile();
    let beats = 0;
    const heart = setInterval(() => beats++, 10);
    const written = transaction(db(), async (trx) => accounts(trx).where({ id: 'a' }).increment('balance', 1));
    await delay(300);
    unlock();
    await written;
    clearInterval(heart);
    expect(await balanceOf(db(), 'a')).to.equal(102);
    expect(beats).to.be.greaterThan(0);
  });

  it('a single statement waits just the same', async () => {
    const unlock = lockFile();
    const written = accounts(db()).where({ id: 'a' }).increment('balance', 1);
    await Promise.all([written, delay(100).then(unlock)]);
    expect(await balanceOf(db(), 'a')).to.equal(102);
  });

  it('a statement that gives what it wrote waits just the same', async () => {
    const unlock = lockFile();
    const written = accounts(db()).where({ id: 'a' }).increment('balance', 1).returning('balance');
    const [[row]] = await Promise.all([written, delay(100).then(unlock)]);
    expect(row).to.deep.equal({ balance: 102 });
  });

  it('gives up on a write that never ends within three seconds, as a database that is away', async () => {
    const unlock = lockFile();
    const { error, ms } = await failureOf(
      transaction(db(), async (trx) => accounts(trx).where({ id: 'a' }).update({ balance: 0 })),
    );
    unlock();
    expect(isUnavailable(error)).to.equal(true);
    expect(ms).to.be.lessThan(3_000 + BUSY_MACHINE_MS);
    expect(await balanceOf(db(), 'a')).to.equal(101);
  });

  it('keeps other processes from writing between what it reads and what it writes', async () => {
    await transaction(db(), async (trx) => {
      const before = (await balanceOf(trx, 'a')) ?? 0;
      expect(lockFile).to.throw('locked');
      await accounts(trx)
        .where({ id: 'a' })
        .update({ balance: before + 1 });
    });
    expect(await balanceOf(db(), 'a')).to.equal(101);
  });

  it('and reading never wait for each other', async () => {
    const { file } = config() as { file: string };
    const unlock = lockFile();
    expect(await balanceOf(db(), 'a')).to.equal(100);
    unlock();
    const reader = openSqlite(file);
    reader.exec('BEGIN');
    expect(reader.prepare("SELECT balance FROM accounts WHERE id = 'a'").get()).to.include({ balance: 101 });
    // A write that waited for the reader would wait in vain, and fail.
    await transaction(db(), async (trx) => accounts(trx).where({ id: 'a' }).update({ balance: 7 }));
    reader.close();
  });
});
