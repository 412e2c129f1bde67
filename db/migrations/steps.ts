import type { Knex } from 'knex';
import { isSqlite, type Db } from '../connect.ts';

/** One repeatable change of the schema: it looks before it acts, so a crash at any moment leaves something it can finish. */
export interface Step {
  name: string;
  up(db: Db): Promise<void>;
}

/** Builds a table's columns; `ascii` columns compare byte by byte on both databases. */
export interface Columns {
  table: Knex.CreateTableBuilder;
  ascii: (name: string, length: number) => Knex.ColumnBuilder;
  id: (name: string) => Knex.ColumnBuilder;
  /** Epoch milliseconds. */
  time: (name: string) => Knex.ColumnBuilder;
  hash: (name: string) => Knex.ColumnBuilder;
}

/** The step that makes a table with its primary key. */
export function createTable(name: string, build: (columns: Columns) => void): Step {
  return {
    name: `create ${name}`,
    async up(db) {
      if (await db.schema.hasTable(name)) return;
      await db.schema.createTable(name, (table) => build(columnsOf(db, table)));
    },
  };
}

/** The step that adds one index, unique or not, in the order of its columns. */
export function addIndex(table: string, columns: string[], { unique = false } = {}): Step {
  const name = `${table}_${columns.join('_')}`.slice(0, 60);
  return {
    name: `index ${name}`,
    async up(db) {
      if (await hasIndex(db, table, name)) return;
      await db.raw(`create ${unique ? 'unique ' : ''}index ?? on ?? (${columns.map(() => '??').join(', ')})`, [
        name,
        table,
        ...columns,
      ]);
    },
  };
}

async function hasIndex(db: Db, table: string, name: string): Promise<boolean> {
  const found: unknown = isSqlite(db)
    ? await db('sqlite_master').where({ type: 'index', name }).first('name')
    : await db('information_schema.statistics')
        .where({ table_schema: db.raw('database()'), table_name: table, index_name: name })
        .first('index_name');
  return found !== undefined;
}

function columnsOf(db: Db, table: Knex.CreateTableBuilder): Columns {
  const sqlite = isSqlite(db);
  if (!sqlite) {
    table.engine('InnoDB');
    table.charset('utf8mb4');
    table.collate('utf8mb4_unicode_ci');
  }
  const ascii = (name: string, length: number) => {
    const column = table.string(name, length);
    // SQLite compares bytes by itself and does not know MySQL's collations.
    return sqlite ? column : column.collate('ascii_bin');
  };
  return {
    table,
    ascii,
    id: (name) => ascii(name, 36),
    time: (name) => table.bigInteger(name),
    hash: (name) => (sqlite ? table.binary(name) : table.specificType(name, 'binary(32)')),
  };
}
