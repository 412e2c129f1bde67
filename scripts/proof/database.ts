import { ConfigError, readConfig } from '../../app/config.ts';
import { connect, isSqlite, type Db } from '../../db/connection/connect.ts';
import { faultCode } from '../../db/connection/faults.ts';

/** A schema full of tables takes a while to go. */
const PATIENCE_MS = 30_000;

/** Only what the proof has made may be dropped by it. */
const OWN_SCHEMA = /^latchkey_proof_[0-9a-f]+$/;

/** What a driver's code means here; its own words may hold the URL. */
const REASONS: Record<string, string> = {
  ER_ACCESS_DENIED_ERROR: 'its user or password is refused',
  ER_DBACCESS_DENIED_ERROR:
    'its user may not make a schema of the proof’s own: name another one, or a running server in BASE_URL',
};

class UsageError extends Error {}
const USAGE = 'database.ts takes "create SCHEMA", "drop SCHEMA" or "version"';

/** Makes and drops the schema of a throw-away server beside the one in DATABASE_URL, or says what database it is. */
async function run(words: readonly string[]): Promise<string> {
  const { database } = readConfig(process.env);
  const db = connect(database, { queryTimeoutMs: PATIENCE_MS, poolSize: 1 });
  try {
    const [command, schema = ''] = words;
    if (command === 'version') return await version(db);
    if (!OWN_SCHEMA.test(schema) || database.kind !== 'mysql') throw new UsageError(USAGE);
    if (command === 'create') return await create(db, schema);
    if (command === 'drop') return await drop(db, schema);
    throw new UsageError(USAGE);
  } finally {
    await db.destroy();
  }
}

async function create(db: Db, schema: string): Promise<string> {
  await db.raw('CREATE DATABASE ?? CHARACTER SET utf8mb4', [schema]);
  const url = new URL(process.env.DATABASE_URL ?? '');
  url.pathname = schema;
  return url.href;
}

async function drop(db: Db, schema: string): Promise<string> {
  await db.raw('DROP DATABASE IF EXISTS ??', [schema]);
  return '';
}

async function version(db: Db): Promise<string> {
  if (isSqlite(db)) {
    const [row] = (await db.raw('SELECT sqlite_version() AS version')) as [{ version: string }];
    return `SQLite ${row.version}`;
  }
  const [[row]] = (await db.raw('SELECT VERSION() AS version')) as [[{ version: string }]];
  return `${row.version.includes('MariaDB') ? 'MariaDB' : 'MySQL'} ${row.version.split('-')[0] ?? ''}`;
}

function complaint(error: unknown): string {
  if (error instanceof ConfigError || error instanceof UsageError) return error.message;
  const code = faultCode(error);
  return `DATABASE_URL cannot be used: ${REASONS[code] ?? code}`;
}

try {
  console.log(await run(process.argv.slice(2)));
} catch (error) {
  console.error(complaint(error));
  process.exitCode = 1;
}
