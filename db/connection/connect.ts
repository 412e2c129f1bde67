import path from 'node:path';
import type { Connection } from 'mysql2';
import knexFactory, { type Knex } from 'knex';
import { makeFolder } from '../../app/makeFolder.ts';
import { connectionsFor, type DatabaseConfig } from './settings.ts';
import { mysqlConnection, prepareSession } from './mysql.ts';
import { MysqlClient } from './mysqlClient.ts';
import { retryTransaction } from './rawDb.ts';
import { REQUEST_THREAD } from './sqlite.ts';
import { SqliteClient } from './sqliteClient.ts';

export { isSqlite } from './rawDb.ts';

/** Anything a table's functions run on: the pool, or one transaction of it. */
export type Db = Knex;

const ACQUIRE_TIMEOUT_MS = 500;

interface PoolOptions {
  queryTimeoutMs?: number;
  poolSize?: number;
  /** How long a query waits for a connection. */
  acquireTimeoutMs?: number;
}

/** Opens the pool for either database; nothing is sent before the first query. */
export function connect(config: DatabaseConfig, options: PoolOptions = {}): Db {
  return knexFactory(config.kind === 'sqlite' ? sqliteSettings(config.file) : mysqlSettings(config, options));
}

function sqliteSettings(file: string): Knex.Config {
  makeFolder(path.dirname(file));
  return {
    client: SqliteClient,
    connection: { filename: file, ...REQUEST_THREAD },
    useNullAsDefault: true,
    // A second connection of the same process would only wait for the first one's lock.
    pool: { min: 1, max: 1 },
    acquireConnectionTimeout: 5_000,
    log: QUIET,
  };
}

function mysqlSettings(config: Extract<DatabaseConfig, { kind: 'mysql' }>, options: PoolOptions): Knex.Config {
  return {
    client: MysqlClient,
    // Knex would ask the first connection for it, without a deadline, and let all others wait for that answer.
    version: 'latest',
    connection: mysqlConnection(config),
    pool: {
      min: 0,
      max: options.poolSize ?? connectionsFor(config).others,
      afterCreate: (connection: Connection, done: (error: unknown) => void) => {
        void prepareSession(connection).then(() => done(null), done);
      },
    },
    acquireTimeoutMs: ACQUIRE_TIMEOUT_MS,
    log: QUIET,
    ...options,
  };
}

/** Knex would print statements with their values; faults reach our own log by their code instead. */
const QUIET = { warn: nothing, error: nothing, debug: nothing, deprecate: nothing };
function nothing(): void {
  return;
}

/** Runs the work in one transaction, again from its start when the database asks for that, a few times at most. */
export async function transaction<T>(db: Db, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return retryTransaction(async () => db.transaction(work));
}
