import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import type { Db } from '../../db/connection/connect.ts';

export type DatabaseKind = 'sqlite' | 'mysql';

export type DatabaseEnvironment = {
  DATABASE_URL?: string;
  DATA_DIR: string;
};

export interface TestDatabase {
  readonly kind: DatabaseKind;
  /** What points the application at this suite's own, empty database and data folder; on SQLite the folder alone. */
  env(): DatabaseEnvironment;
}

/** Runs the suite once on embedded SQLite and once on the MySQL server of this run. */
export function onEachDatabase(title: string, suite: (database: TestDatabase) => void): void {
  onDatabase('sqlite', title, suite);
  onDatabase('mysql', title, suite);
}

/** Runs the suite on one kind of database, for what is about that driver alone. */
export function onDatabase(kind: DatabaseKind, title: string, suite: (database: TestDatabase) => void): void {
  describe(`${title} [${kind}]`, () => {
    let own: DatabaseEnvironment | undefined;
    before(async () => {
      own = await create(kind);
    });
    suite({
      kind,
      env: () => {
        if (!own) throw new Error('env() has an answer only while its suite runs: call it in a hook or a test.');
        return { ...own };
      },
    });
    // Declared after the suite's own hooks, so that they have closed the application by then.
    after(async () => {
      if (own) await remove(own);
      own = undefined;
    });
  });
}

/** Resolves once a transaction on this MySQL database is held up by another one. */
export async function untilSomebodyWaits(db: Db): Promise<void> {
  const waiting = db('information_schema.innodb_trx as t')
    .join('information_schema.processlist as p', 'p.id', 't.trx_mysql_thread_id')
    .where({ 't.trx_state': 'LOCK WAIT', 'p.db': db.raw('database()') })
    .select('p.id');
  // The server shows the same picture again to whoever asks sooner, that of the test before included.
  do await delay(120);
  while ((await waiting.clone()).length === 0);
}

async function create(kind: DatabaseKind): Promise<DatabaseEnvironment> {
  if (kind === 'sqlite') return { DATA_DIR: await createFolder() };
  const name = `latchkey_${randomBytes(8).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const url = new URL(serverUrl());
  url.pathname = name;
  return { DATABASE_URL: url.href, DATA_DIR: await createFolder() };
}

async function remove({ DATABASE_URL, DATA_DIR }: DatabaseEnvironment): Promise<void> {
  await rm(DATA_DIR, { recursive: true, force: true });
  if (DATABASE_URL) await onServer(`DROP DATABASE ${new URL(DATABASE_URL).pathname.slice(1)}`);
}

/** The run's folder goes when the run ends, so that even a failed clean-up leaves nothing behind. */
const createFolder = () => mkdtemp(join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-data-'));

async function onServer(statement: string): Promise<void> {
  const connection = await createConnection({ uri: serverUrl() });
  try {
    // A transaction that a test left open would hold a DROP back for a day.
    await connection.query('SET SESSION lock_wait_timeout = 5');
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: run the tests with `npm test`, which starts a database.');
  return url;
}
