import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import type { DatabaseConfig } from '../../../db/connection/settings.ts';
import { connect, isSqlite, type Db } from '../../../db/connection/connect.ts';
import { migrate, migrationState } from '../../../db/migrate.ts';
import { STEPS } from '../../../db/migrations/index.ts';
import { addIndex, createTable, type Step } from '../../../db/migrations/steps.ts';
import { endChildren, startScript, type Child } from '../../support/child.ts';
import { onDatabase, onEachDatabase, type TestDatabase } from '../../support/databases.ts';
import { JWT_SECRET, startServer } from '../../support/server.ts';

const ALL = STEPS.map((step) => step.name);

const configOf = (database: TestDatabase): DatabaseConfig => readConfig({ JWT_SECRET, ...database.env() }).database;

const migrating = (database: TestDatabase, more: Record<string, string> = {}): Child =>
  startScript('test/support/migrating.js', { JWT_SECRET, ...database.env(), ...more });

async function withDb<T>(config: DatabaseConfig, work: (db: Db) => Promise<T>): Promise<T> {
  const db = connect(config);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Every table and index as the database itself would write it, without the records of migrating. */
async function schemaOf(config: DatabaseConfig): Promise<string[]> {
  return withDb(config, async (db) => {
    if (!isSqlite(db)) return Promise.all((await tablesOf(db)).map(async (table) => definitionOf(db, table)));
    const rows = await db<{ sql: string | null }>('sqlite_master')
      .whereIn('tbl_name', await tablesOf(db))
      .select('sql');
    return rows.flatMap(({ sql }) => sql ?? []).sort();
  });
}

async function tablesOf(db: Db): Promise<string[]> {
  const all = isSqlite(db)
    ? db('sqlite_master').where({ type: 'table' })
    : db('information_schema.tables').where({ table_schema: db.raw('database()') });
  const rows = await all.select<{ name: string }[]>(isSqlite(db) ? 'name' : 'table_name as name');
  const names = rows.map(({ name }) => name).sort();
  return names.filter((name) => !name.startsWith('migrations') && !name.startsWith('sqlite_'));
}

async function definitionOf(db: Db, table: string): Promise<string> {
  if (isSqlite(db)) {
    const row = await db<{ name: string; sql: string }>('sqlite_master').where({ name: table }).first();
    return row?.sql ?? '';
  }
  const answer: unknown = await db.raw('show create table ??', [table]);
  const [[row]] = answer as [[Record<string, string>]];
  return row['Create Table'] ?? '';
}

/** Gives the suite an empty database before each test. */
async function empty(config: DatabaseConfig): Promise<void> {
  if (config.kind === 'sqlite') {
    for (const end of ['', '-wal', '-shm']) await rm(config.file + end, { force: true });
    return;
  }
  await withDb(config, async (db) => {
    for (const table of [...(await tablesOf(db)), 'migrations', 'migrations_lock', 'migrations_holder']) {
      await db.schema.dropTableIfExists(table);
    }
  });
}

onEachDatabase('migrating', (database) => {
  let config: DatabaseConfig;
  let whole: string[];
  before(async () => {
    config = configOf(database);
    await migrate(config);
    whole = await schemaOf(config);
  });
  beforeEach(() => empty(config));
  afterEach(endChildren);

  const state = async () => withDb(config, migrationState);

  it('names the steps it took, in order, and takes none of them again', async () => {
    expect(await migrate(config)).to.deep.equal(ALL);
    expect(await migrate(config)).to.deep.equal([]);
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('turns the state from pending to current', async () => {
    expect(await state()).to.equal('pending');
    await migrate(config, { steps: STEPS.slice(0, 5) });
    expect(await state()).to.equal('pending');
    await migrate(config);
    expect(await state()).to.equal('current');
  });

  it('in pieces gives the same schema as at once', async () => {
    for (const end of [1, 2, 7, STEPS.length - 1]) await migrate(config, { steps: STEPS.slice(0, end) });
    expect(await migrate(config)).to.deep.equal(ALL.slice(-1));
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('finishes what kill -9 left undone, wherever it struck', async function () {
    this.timeout(30_000);
    const moments = [ALL[0], ALL.find((name) => name.startsWith('index')), ALL.at(-1)];
    for (const KILL_AFTER of moments) {
      const child = migrating(database, { KILL_AFTER: KILL_AFTER ?? '' });
      expect(await child.ended, child.stderr).to.deep.equal({ code: null, signal: 'SIGKILL' });
      expect(await state()).to.equal('pending');
    }
    // SQLite takes its steps in one transaction, so that of a killed process nothing is left.
    expect(await migrate(config)).to.deep.equal(database.kind === 'sqlite' ? ALL : ALL.slice(-1));
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('by two processes at once takes each step once, and both end well', async function () {
    this.timeout(30_000);
    const both = [migrating(database), migrating(database)];
    const ends = await Promise.all(both.map(async (child) => child.ended));
    expect(ends.map(({ code }) => code)).to.deep.equal([0, 0], both.map((child) => child.stderr).join());
    const taken = both.flatMap((child) => JSON.parse(child.stdout) as string[]);
    expect(taken).to.deep.equal(ALL);
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('finishes a step that was made and not recorded', async () => {
    await migrate(config, { steps: STEPS.slice(0, 3) });
    await withDb(config, async (db) => {
      for (const step of STEPS.slice(3, 6)) await step.up(db);
    });
    expect(await migrate(config)).to.deep.equal(ALL.slice(3));
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('is not held back by the lock of a process that is gone', async () => {
    await migrate(config, { steps: STEPS.slice(0, 3) });
    await withDb(config, async (db) => db('migrations_lock').update({ is_locked: 1 }));
    expect(await migrate(config)).to.deep.equal(ALL.slice(3));
  });

  it('keeps what is in the tables', async () => {
    await migrate(config, { steps: STEPS.slice(0, 2) });
    const tenant = { id: 'x', slug: 'acme', name: 'Acme', created_at: 1, updated_at: 1 };
    await withDb(config, async (db) => db('tenants').insert(tenant));
    await migrate(config);
    expect(await withDb(config, async (db) => db('tenants').select('slug', 'name'))).to.deep.equal([
      { slug: 'acme', name: 'Acme' },
    ]);
  });

  it('stops at a step that fails and goes on from there the next time', async () => {
    const failing: Step = { name: STEPS[4]?.name ?? '', up: async () => Promise.reject(new Error('no room')) };
    const steps = STEPS.with(4, failing);
    const error: unknown = await migrate(config, { steps }).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).to.have.property('message').that.includes('no room');
    expect(await state()).to.equal('pending');
    await migrate(config);
    expect(await schemaOf(config)).to.deep.equal(whole);
  });

  it('leaves a newer schema alone, beside which older code serves', async () => {
    const newer = createTable('from_the_future', ({ id }) => id('id').primary());
    await migrate(config, { steps: [...STEPS, newer] });
    expect(await migrate(config)).to.deep.equal([]);
    expect(await state()).to.equal('current');
    const server = await startServer(database.env());
    const { status } = await server.get('/api/health');
    await server.stop();
    expect(status).to.equal(200);
  });

  it('gives every table a primary key', async () => {
    await migrate(config);
    const keyless = await withDb(config, async (db) => {
      const tables = await tablesOf(db);
      const definitions = await Promise.all(tables.map(async (table) => definitionOf(db, table)));
      return tables.filter((_, i) => !/primary key/i.test(definitions[i] ?? ''));
    });
    expect(keyless).to.deep.equal([]);
  });
});

onDatabase('mysql', 'a step', (database) => {
  it('that meets the same statement of a killed client still under way is done when that one is', async () => {
    const table = createTable('things', ({ id }) => id('id').primary());
    const index = addIndex('things', ['id']);
    await withDb(configOf(database), async (db) => {
      for (const step of [table, index]) await Promise.all(Array.from({ length: 4 }, async () => step.up(db)));
      expect(await definitionOf(db, 'things')).to.match(/PRIMARY KEY[^]*KEY `things_id`/);
    });
  });
});

onDatabase('sqlite', 'waiting for another process that migrates', (database) => {
  afterEach(endChildren);

  it('ends when the process is told to stop', async () => {
    const config = configOf(database);
    const stop = new AbortController();
    const { promise: begun, resolve: begin } = deferred();
    const forever: Step = { name: 'forever', up: async () => new Promise(begin) };
    void migrate(config, { steps: [forever] });
    await begun;
    const waiting = migrate(config, { stop: stop.signal }).then(
      () => 'migrated',
      () => 'stopped',
    );
    stop.abort();
    expect(await waiting).to.equal('stopped');
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
