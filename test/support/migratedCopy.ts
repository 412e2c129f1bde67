import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import type { DatabaseConfig, MysqlConfig } from '../../db/connection/settings.ts';
import { migrate } from '../../db/migrate.ts';

/** What the migration of the first empty database of each kind has made in this process. */
let migratedFile: Buffer | undefined;
let migratedSchema: string | undefined;

let earlier: Promise<unknown> = Promise.resolve();

/**
 * Migrates the database of a suite. An empty one becomes a copy of the first that this process has migrated, since a
 * copy is made in a tenth of the time; migrating itself has tests of its own.
 */
export async function migrateOrCopy(config: DatabaseConfig): Promise<void> {
  // One after another, since two servers may start on the same empty database.
  const own = earlier.then(async () => (config.kind === 'sqlite' ? onFile(config) : onServer(config)));
  earlier = own.catch(() => undefined);
  return own;
}

async function onFile(config: DatabaseConfig & { kind: 'sqlite' }): Promise<void> {
  const isNew = !existsSync(config.file);
  if (isNew && migratedFile) {
    await mkdir(dirname(config.file), { recursive: true });
    await writeFile(config.file, migratedFile);
    return;
  }
  await migrate(config);
  if (isNew) migratedFile = await readFile(config.file);
}

async function onServer(config: MysqlConfig): Promise<void> {
  const { host, port, user, password, database, tls } = config;
  if (tls) {
    await migrate(config);
    return;
  }
  const connection = await createConnection({
    ...{ host, port, user, password, database },
    multipleStatements: true,
    dateStrings: true,
  });
  try {
    const isEmpty = (await tablesOf(connection)).length === 0;
    if (isEmpty && migratedSchema !== undefined) {
      await connection.query(migratedSchema);
      return;
    }
    await migrate(config);
    if (isEmpty) migratedSchema = await schemaOf(connection);
  } finally {
    await connection.end();
  }
}

/** The statements that make the same tables with the same rows in an empty database. */
async function schemaOf(connection: Connection): Promise<string> {
  const statements: string[] = [];
  for (const table of await tablesOf(connection)) {
    statements.push((await select(connection, 'SHOW CREATE TABLE ??', [table]))[0]?.[1] as string);
    const rows = await select(connection, 'SELECT * FROM ??', [table]);
    if (rows.length > 0) statements.push(connection.format('INSERT INTO ?? VALUES ?', [table, rows]));
  }
  return statements.join(';\n');
}

async function tablesOf(connection: Connection): Promise<string[]> {
  return (await select(connection, 'SHOW TABLES')).map(([name]) => name as string);
}

async function select(connection: Connection, sql: string, values: string[] = []): Promise<unknown[][]> {
  const [rows] = await connection.query<RowDataPacket[][]>({ sql, values, rowsAsArray: true });
  return rows;
}
