import type { Pool } from 'mysql2/promise';
import { createPool } from 'mysql2/promise';
import { openSqlite } from '../../db/connection/sqlite.ts';

type Value = string | number | null | Uint8Array;

/** What filling a database needs of it; the few expressions on which the two differ are methods. */
export interface Sql {
  run(statement: string): Promise<void>;
  insert(table: string, rows: readonly (readonly Value[])[]): Promise<void>;
  /** Fills a table faster than row by row: its indexes are made anew over the rows that are there. */
  fill(table: string, insert: string): Promise<void>;
  /** A whole number as hexadecimal digits. */
  hex(number: string, digits: number): string;
  /** Bytes that no key of the bench has. */
  anyHash(number: string): string;
  wholePart(number: string): string;
  /** A name that may be a word of SQL, or holds capitals. */
  name(name: string): string;
  /** The columns that a table has in the build whose database this is. */
  columnsOf(table: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Where something lies: a schema of the private server, or a file. */
export type Place = { url: string } | { file: string };

/** Opens a database for filling, without protection against crashes. */
export function openSql(place: Place): Sql {
  return 'url' in place ? mysql(place.url) : sqlite(place.file);
}

function mysql(url: string): Sql {
  const pool = createPool({ uri: url, connectionLimit: 1 });
  const run = async (statement: string) => {
    await pool.query(statement);
  };
  return {
    run,
    insert: async (table, rows) => {
      for (let at = 0; at < rows.length; at += 1_000) {
        await pool.query(`insert into ${table} values ?`, [rows.slice(at, at + 1_000)]);
      }
    },
    fill: async (table, insert) => {
      const indexes = await mysqlIndexes(pool, table);
      await run('set unique_checks = 0, foreign_key_checks = 0');
      await run(`alter table ${table} ${indexes.map(({ name }) => `drop index ${name}`).join(', ')}`);
      await run(insert);
      await run(`alter table ${table} ${indexes.map(({ definition }) => `add ${definition}`).join(', ')}`);
      await run(`analyze table ${table}`);
    },
    hex: (number, digits) => `lower(lpad(hex(${number}), ${digits}, '0'))`,
    anyHash: (number) => `unhex(sha2(${number}, 256))`,
    wholePart: (number) => `floor(${number})`,
    name: (name) => `\`${name}\``,
    columnsOf: async (table) => {
      const [rows] = await pool.query(`show columns from ${table}`);
      return (rows as { Field: string }[]).map(({ Field }) => Field);
    },
    close: async () => pool.end(),
  };
}

/** As the server itself writes them, so that nothing of an index is lost between dropping and adding it. */
async function mysqlIndexes(pool: Pool, table: string): Promise<{ name: string; definition: string }[]> {
  const [rows] = await pool.query(`show create table ${table}`);
  const [{ 'Create Table': text }] = rows as unknown as [{ 'Create Table': string }];
  const indexes: { name: string; definition: string }[] = [];
  for (const [, definition = '', name = ''] of text.matchAll(/^ +((?:UNIQUE )?KEY (`\w+`) .*?),?$/gm)) {
    indexes.push({ name, definition });
  }
  return indexes;
}

function sqlite(file: string): Sql {
  const connection = openSqlite(file);
  // The driver refuses OFF without a word, and a write-ahead log would be as long as what is filled.
  connection.exec(
    'PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA temp_store = MEMORY',
  );
  const run = async (statement: string) => connection.exec(statement);
  return {
    run,
    insert: async (table, rows) => {
      if (rows.length === 0) return;
      const marks = (rows[0] ?? []).map(() => '?').join(', ');
      const statement = connection.prepare(`insert into ${table} values (${marks})`);
      connection.exec('begin');
      for (const row of rows) statement.run(...row);
      connection.exec('commit');
    },
    fill: async (table, insert) => {
      const indexes = connection
        .prepare(
          `select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name = '${table}'`,
        )
        .all() as { name: string; sql: string }[];
      for (const { name } of indexes) connection.exec(`drop index ${name}`);
      connection.exec(insert);
      for (const { sql } of indexes) connection.exec(sql);
      connection.exec(`analyze ${table}`);
    },
    hex: (number, digits) => `printf('%0${digits}x', ${number})`,
    anyHash: () => 'randomblob(32)',
    wholePart: (number) => `cast(${number} as integer)`,
    name: (name) => `"${name}"`,
    columnsOf: async (table) => {
      const rows = connection.prepare(`select name from pragma_table_info('${table}')`).all() as { name: string }[];
      return rows.map(({ name }) => name);
    },
    close: async () => {
      connection.exec('PRAGMA journal_mode = WAL');
      connection.close();
    },
  };
}
