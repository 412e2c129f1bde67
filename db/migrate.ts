import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { DatabaseConfig } from './connection/settings.ts';
import { connect, type Db } from './connection/connect.ts';
import { faultCode } from './connection/faults.ts';
import { tryLockFile } from './locks/fileLock.ts';
import { tryLockServer } from './locks/serverLock.ts';
import { STEPS } from './migrations/index.ts';
import type { Step } from './migrations/steps.ts';

const TABLE = 'migrations';
/** Changing a large table takes long, and no request waits for it. */
const DDL_TIMEOUT_MS = 3_600_000;
const LOCK_WAIT_MS = 60_000;
const TAKEN = 'another process has been migrating this database for a minute';

export type MigrationState = 'current' | 'pending';

/** Migrates the schema and returns the steps it took; processes that migrate at the same time take turns. */
export async function migrate(
  config: DatabaseConfig,
  { steps = STEPS, stop }: { steps?: readonly Step[]; stop?: AbortSignal } = {},
): Promise<string[]> {
  const db = connect(config, { queryTimeoutMs: DDL_TIMEOUT_MS, poolSize: 2 });
  try {
    const unlock =
      config.kind === 'sqlite'
        ? await lockFile(`${config.file}-migrating`, stop)
        : await lockServer(db, config.database);
    try {
      const settings = knexMigrations(steps);
      // A process that left Knex's own lock behind is gone, since our lock ends with its process.
      await db.migrate.forceFreeMigrationsLock(settings);
      const [, taken] = (await db.migrate.latest(settings)) as [number, string[]];
      return taken;
    } finally {
      await unlock();
    }
  } finally {
    await db.destroy();
  }
}

/** Whether every step this code knows was taken; throws when the database cannot be asked. */
export async function migrationState(db: Db): Promise<MigrationState> {
  let taken: { name: string }[];
  try {
    taken = await db<{ name: string }>(TABLE).select('name');
  } catch (error) {
    if (faultCode(error) === 'ER_NO_SUCH_TABLE' || /no such table/.test((error as Error).message)) return 'pending';
    throw error;
  }
  const names = new Set(taken.map((row) => row.name));
  return STEPS.every((step) => names.has(step.name)) ? 'current' : 'pending';
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

async function lockServer(db: Db, database: string): Promise<() => Promise<void>> {
  const unlock = await tryLockServer(db, `latchkey migrate ${database}`, LOCK_WAIT_MS / 1000);
  if (!unlock) throw new Error(TAKEN);
  return unlock;
}

/** The operating system frees the file lock with the process that took it. */
async function lockFile(file: string, stop: AbortSignal | undefined): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const unlock = tryLockFile(file);
    if (unlock) return async () => unlock();
    if (Date.now() > deadline) throw new Error(TAKEN);
    await delay(50, undefined, stop && { signal: stop });
  }
}
