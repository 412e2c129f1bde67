import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import { connect, type Db } from '../../../db/connection/connect.ts';
import type { DatabaseConfig } from '../../../db/connection/settings.ts';
import { migrate } from '../../../db/migrate.ts';
import { STEPS } from '../../../db/migrations/index.ts';
import type { Step } from '../../../db/migrations/steps.ts';
import { BUSY_MACHINE_MS } from '../../support/busyMachine.ts';
import { endChildren, startScript } from '../../support/child.ts';
import { startClusterNode } from '../../support/clusterNode.ts';
import { onDatabase, untilSomebodyWaits } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

const ALL = STEPS.map((step) => step.name);
const MADE_BEFORE = 3;
/** Enough steps for what happens between two of them. */
const FEW = STEPS.slice(0, MADE_BEFORE + 2);
const LEFT = FEW.slice(MADE_BEFORE).map(({ name }) => name);

onDatabase('mysql', 'migrating while others are at the same database', (database) => {
  let config: DatabaseConfig;
  let db: Db;
  beforeEach(async () => {
    config = readConfig({ JWT_SECRET, ...database.env() }).database;
    db = connect(config);
    // Foreign keys are not used, so that the order does not matter.
    const tables = await db('information_schema.tables')
      .where({ table_schema: db.raw('database()') })
      .select<{ name: string }[]>('table_name as name');
    for (const { name } of tables) await db.schema.dropTable(name);
  });
  afterEach(async () => {
    await endChildren();
    await db.destroy();
  });

  const recorded = async () => db('migrations').orderBy('id').pluck<string[]>('name');
  const migrateSome = async () => migrate(config, { steps: STEPS.slice(0, MADE_BEFORE) });

  it('three processes on three nodes of a cluster take each step once, and all end well', async function () {
    this.timeout(60_000);
    const { DATABASE_URL = '', ...env } = database.env();
    const nodes = await Promise.all([1, 2, 3].map(async (number) => startClusterNode(DATABASE_URL, number)));
    const processes = nodes.map(({ url }) =>
      startScript('test/support/migrating.js', { JWT_SECRET, ...env, DATABASE_URL: url }),
    );
    const ends = await Promise.all(processes.map(async ({ ended }) => ended));
    for (const node of nodes) node.stop();
    expect(ends.map(({ code }) => code)).to.deep.equal([0, 0, 0], processes.map(({ stderr }) => stderr).join());
    expect(processes.flatMap(({ stdout }) => JSON.parse(stdout) as string[])).to.deep.equal(ALL);
    expect(await recorded()).to.deep.equal(ALL);
  });

  const REFUSALS = [
    { on: 'insert on migrations', errno: 1213, what: 'the record of a step by a deadlock, as Galera refuses a commit' },
    { on: 'insert on migrations', errno: 1205, what: 'the record of a step by a row that another one keeps' },
    { on: 'insert on migrations', errno: 1062, what: 'the record of a step because another one made it' },
    { on: 'insert on migrations_lock', errno: 1050, what: 'the row of the lock because the table was just made' },
    { on: 'update on migrations_lock', errno: 1644, what: 'the lock because another one has it' },
    { on: 'update on migrations_holder', errno: 1213, what: "the cluster's lock by a deadlock" },
  ];
  for (const { on, errno, what } of REFUSALS) {
    it(`tries again and takes each step once when the server refuses ${what} (${errno})`, async () => {
      await migrateSome();
      // A table without transactions, so that what it counts outlives the statement that is refused.
      await db.raw('create table refused (id int) engine = MyISAM');
      await db.raw(`create trigger refuse before ${on} for each row begin
        if (select count(*) from refused) < 2 then
          insert into refused values (1);
          signal sqlstate '45000' set mysql_errno = ${errno};
        end if;
      end`);
      expect(await migrate(config, { steps: FEW })).to.deep.equal(LEFT);
      expect(await recorded()).to.deep.equal(ALL.slice(0, FEW.length));
      expect(await db('refused').pluck('id')).to.deep.equal([1, 1]);
    });
  }

  for (const table of ['migrations_lock', 'migrations_holder']) {
    it(`waits while another connection keeps the row of ${table}, and then takes each step once`, async () => {
      await migrateSome();
      const other = await db.transaction();
      await other(table).forUpdate().select();
      const migrating = migrate(config, { steps: FEW });
      await untilSomebodyWaits(db);
      // Longer than the server lets a statement wait for a row.
      await delay(1_200);
      await untilSomebodyWaits(db);
      await other.rollback();
      expect(await migrating).to.deep.equal(LEFT);
      expect(await recorded()).to.deep.equal(ALL.slice(0, FEW.length));
    });
  }

  it('gives up when its patience ends, and says that others are in the way', async () => {
    await migrateSome();
    const other = await db.transaction();
    await other('migrations_lock').forUpdate().select();
    const failure: unknown = await migrate(config, { patienceMs: 100 }).catch((error: unknown) => error);
    await other.rollback();
    expect(failure)
      .to.have.property('message')
      .that.matches(/^other processes .*ER_LOCK_WAIT_TIMEOUT.*run it again$/);
  });

  it('makes one row of the lock out of those that several nodes inserted', async () => {
    await migrateSome();
    await db('migrations_lock').insert([{ is_locked: 0 }, { is_locked: 1 }]);
    expect(await migrate(config, { steps: FEW })).to.deep.equal(LEFT);
    expect(await db('migrations_lock').pluck('is_locked')).to.deep.equal([0]);
  });

  it('waits for a process on another node while that one lives, and takes over ten seconds after it died', async function () {
    this.timeout(90_000);
    await migrateSome();
    await db('migrations_holder').update({ holder: 'elsewhere:3306:/data/ 1', beat: 1 });
    const migrating = migrate(config, { steps: FEW });
    for (let beat = 2; beat < 5; beat++) {
      await delay(1_000);
      await db('migrations_holder').update({ beat });
    }
    const died = performance.now();
    expect(await migrating).to.deep.equal(LEFT);
    expect(performance.now() - died).to.be.within(9_500, 30_000 + BUSY_MACHINE_MS);
  });

  it('ends at once when the process on another node has made the schema current', async () => {
    await migrate(config);
    await db('migrations_holder').update({ holder: 'elsewhere:3306:/data/ 1' });
    expect(await migrate(config)).to.deep.equal([]);
  });

  it('takes its lock anew before the next step when the connection that had it is lost', async () => {
    const lost: Step = {
      name: ALL[MADE_BEFORE] ?? '',
      async up(trx) {
        const name = `latchkey migrate ${new URL(database.env().DATABASE_URL ?? '').pathname.slice(1)}`;
        const answer: unknown = await db.raw('select is_used_lock(?) as id', [name]);
        const [[{ id }]] = answer as [[{ id: number | null }]];
        if (id !== null && killed++ === 0) await db.raw('kill ?', [id]);
        await STEPS[MADE_BEFORE]?.up(trx);
      },
    };
    let killed = 0;
    expect(await migrate(config, { steps: STEPS.with(MADE_BEFORE, lost) })).to.deep.equal(ALL);
    expect(killed).to.equal(1);
  });

  it('tells at once of a step that the rows of the database refuse', async () => {
    const refused: Step = {
      name: ALL[MADE_BEFORE] ?? '',
      async up(trx) {
        await trx('migrations_holder').insert({ id: 1, holder: '', beat: 0 });
      },
    };
    const failure: unknown = await migrate(config, { steps: STEPS.with(MADE_BEFORE, refused) }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.have.property('errno', 1062);
  });
});
