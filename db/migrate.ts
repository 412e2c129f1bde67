import type { Knex } from 'knex';
import { delay } from '../app/timing.ts';
import type { DatabaseConfig } from './connection/settings.ts';
import { connect, type Db } from './connection/connect.ts';
import { faultCode, isContention, isDuplicate } from './connection/faults.ts';
import { ClusterLockTaken, lockCluster } from './locks/clusterLock.ts';
import { tryLockFile } from './locks/fileLock.ts';
import { STEPS } from './migrations/index.ts';
import type { Step } from './migrations/steps.ts';

const TABLE = 'migrations';
/** Changing a large table takes long, and no request waits for it. */
const DDL_TIMEOUT_MS = 3_600_000;
/** A node of a cluster that is busy with a change of the schema is slow to take a connection. */
const ACQUIRE_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 300_000;
const LOOK_MS = 500;

export type MigrationState = 'current' | 'pending';

interface MigrateOptions {
  steps?: readonly Step[];
  stop?: AbortSignal | undefined;
  /** How long this waits for others at the same database before it gives up. */
  patienceMs?: number;
}

/**
 * Migrates the schema and returns the steps it took; processes that migrate at the same time take turns, on all nodes of
 * a cluster too.
 */
export async function migrate(
  config: DatabaseConfig,
  { steps = STEPS, stop, patienceMs = PATIENCE_MS }: MigrateOptions = {},
): Promise<string[]> {
  const options = { queryTimeoutMs: DDL_TIMEOUT_MS, poolSize: 2, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS };
  const db = connect(config, options);
  const deadline = Date.now() + patienceMs;
  try {
    if (config.kind === 'mysql') return await migrateServer(db, config.database, { steps, stop, deadline });
    const unlock = await lockFile(`${config.file}-migrating`, { stop, deadline });
    try {
      return await latest(db, knexMigrations(steps));
    } finally {
      unlock();
    }
  } finally {
    await db.destroy();
  }
}

/** Waits and looks again where others at the same tables, on this server or another node, are in the way. */
async function migrateServer(
  db: Db,
  database: string,
  { steps, stop, deadline }: { steps: readonly Step[]; stop: AbortSignal | undefined; deadline: number },
): Promise<string[]> {
  const taken = new Set<string>();
  let failure: unknown;
  for (;;) {
    try {
      if ((await stateOf(db, steps)) === 'pending') await migrateLocked();
      return [...taken];
    } catch (error) {
      if (!isContention(error) && (error === failure || !isOfOthers(error))) throw error;
      if (Date.now() > deadline) throw new Error(`${BUSY} (${faultCode(error)}); run it again`, { cause: error });
      await delay(LOOK_MS * (1 + Math.random()), stop);
      stop?.throwIfAborted();
    }
  }

  async function migrateLocked(): Promise<void> {
    const name = `latchkey migrate ${database}`;
    const lock = await lockCluster(db, { name, table: `${TABLE}_holder`, deadline, stop });
    const guarded = steps.map((step): Step => ({
      name: step.name,
      async up(trx) {
        await lock.confirm();
        try {
          await step.up(trx);
        } catch (error) {
          failure = error;
          throw error;
        }
        taken.add(step.name);
      },
    }));
    try {
      // A change of the schema ends MySQL's transaction; on a cluster one around all steps could only fail at its end.
      await latest(db, { ...knexMigrations(guarded), disableTransactions: true });
    } finally {
      await lock.release();
    }
  }
}

const BUSY = 'other processes are migrating this database, or keep its tables locked';
const MYSQL_TABLE_EXISTS = 1050;

/** Whether a fault of the records of migrating, and of no step, says that another process is at them. */
function isOfOthers(error: unknown): boolean {
  if (error instanceof ClusterLockTaken || isDuplicate(error)) return true;
  const { name, errno } = error as { name?: unknown; errno?: unknown };
  return name === 'MigrationLocked' || errno === MYSQL_TABLE_EXISTS;
}

/** Takes the steps that are not recorded yet; only for whoever has our own lock, which no dead process can have. */
async function latest(db: Db, settings: Knex.MigratorConfig): Promise<string[]> {
  // Whoever held Knex's lock is gone; without this it would also stay locked where it has come to have two rows.
  await db.migrate.forceFreeMigrationsLock(settings);
  const [, taken] = (await db.migrate.latest(settings)) as [number, string[]];
  return taken;
}

/** Whether every step this code knows was taken; throws when the database cannot be asked. */
export async function migrationState(db: Db): Promise<MigrationState> {
  return stateOf(db, STEPS);
}

async function stateOf(db: Db, steps: readonly Step[]): Promise<MigrationState> {
  let taken: { name: string }[];
  try {
    taken = await db<{ name: string }>(TABLE).select('name');
  } catch (error) {
    if (faultCode(error) === 'ER_NO_SUCH_TABLE' || /no such table/.test((error as Error).message)) return 'pending';
    throw error;
  }
  const names = new Set(taken.map((row) => row.name));
  return steps.every((step) => names.has(step.name)) ? 'current' : 'pending';
}

function knexMigrations(steps: readonly Step[]): Knex.MigratorConfig {
  return {
    tableName: TABLE,
    // An older release beside a newer schema is a rollback under way, not corruption.
    disableMigrationsListValidation: true,
    migrationSource: {
      getMigrations: async () => [...steps],
      getMigrationName: (step: Step) => step.name,
      getMigration: async (step: Step) => ({ up: async (db: Knex) => step.up(db), down: async () => undefined }),
    } satisfies Knex.MigrationSource<Step>,
  };
}

/** The operating system frees the file lock with the process that took it. */
async function lockFile(
  file: string,
  { stop, deadline }: { stop: AbortSignal | undefined; deadline: number },
): Promise<() => void> {
  for (;;) {
    const unlock = tryLockFile(file);
    if (unlock) return unlock;
    if (Date.now() > deadline) throw new Error(`${BUSY}; run it again`);
    await delay(50, stop);
    stop?.throwIfAborted();
  }
}
