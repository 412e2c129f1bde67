import type { Knex } from 'knex';
import { isSqlite, type Db } from '../connection/connect.ts';

/** One repeatable change of the schema: it looks before it acts, so a crash at any moment leaves something it can finish. */
export interface Step {
  name: string;
  up(db: Db): Promise<void>;
}

/** Builds a table's columns; `ascii` columns compare byte by byte on every database. */
export interface Columns {
  table: Knex.CreateTableBuilder;
  ascii: (name: string, length: number) => Knex.ColumnBuilder;
  id: (name: string) => Knex.ColumnBuilder;
  /** Epoch milliseconds. */
  time: (name: string) => Knex.ColumnBuilder;
  hash: (name: string) => Knex.ColumnBuilder;
  /** Compared without regard to case, as names are. */
  text: (name: string, length: number) => Knex.ColumnBuilder;
}

/** The step that makes a table with its primary key. */
export function createTable(name: string, build: (columns: Columns) => void): Step {
  return {
    name: `create ${name}`,
    async up(db) {
      if (await db.schema.hasTable(name)) return;
      const collation = await exactCollation(db);
      const create = (table: Knex.CreateTableBuilder) => {
        if (collation !== undefined) {
          table.engine('InnoDB');
          table.charset('utf8mb4');
          table.collate('utf8mb4_unicode_ci');
        }
        build(columnsOf(table, collation));
      };
      await unlessJustDone(db.schema.createTable(name, create));
    },
  };
}

/** The step that drops a table with all its rows. */
export function dropTable(name: string): Step {
  return {
    name: `drop ${name}`,
    async up(db) {
      await db.schema.dropTableIfExists(name);
    },
  };
}

/** The step that adds one column to a table. */
export function addColumn(table: string, name: string, build: (columns: Columns) => void): Step {
  return {
    name: `add ${table}.${name}`,
    async up(db) {
      if (await db.schema.hasColumn(table, name)) return;
      const collation = await exactCollation(db);
      await unlessJustDone(db.schema.alterTable(table, (altered) => build(columnsOf(altered, collation))));
    },
  };
}

/** The step that adds a column of text in ASCII which MySQL computes from others, and stores in indexes alone. */
export function addComputedColumn(table: string, name: string, length: number, expression: string): Step {
  return {
    name: `add ${table}.${name}`,
    async up(db) {
      if (isSqlite(db) || (await db.schema.hasColumn(table, name))) return;
      const type = `varchar(${length}) character set ascii collate ascii_bin`;
      const sql = `alter table ?? add column ?? ${type} generated always as (convert(${expression} using ascii)) virtual`;
      await unlessJustDone(db.raw(sql, [table, name]));
    },
  };
}

/** The step that adds a time which MySQL computes from other columns, and stores in indexes alone. */
export function addComputedTime(table: string, name: string, expression: string): Step {
  return {
    name: `add ${table}.${name}`,
    async up(db) {
      if (isSqlite(db) || (await db.schema.hasColumn(table, name))) return;
      const sql = `alter table ?? add column ?? bigint generated always as (${expression}) virtual`;
      await unlessJustDone(db.raw(sql, [table, name]));
    },
  };
}

/** The step that adds one index, unique or not, in the order of its columns. */
export function addIndex(table: string, columns: string[], { unique = false } = {}): Step {
  const name = indexName(table, columns);
  return {
    name: `index ${name}`,
    async up(db) {
      if (await hasIndex(db, table, name)) return;
      const sql = `create ${unique ? 'unique ' : ''}index ?? on ?? (${columns.map(() => '??').join(', ')})`;
      await unlessJustDone(db.raw(sql, [name, table, ...columns]));
    },
  };
}

/** The step that drops an index that `addIndex` added. */
export function dropIndex(table: string, columns: string[]): Step {
  const name = indexName(table, columns);
  return {
    name: `drop index ${name}`,
    async up(db) {
      if (!(await hasIndex(db, table, name))) return;
      await unlessJustDone(
        isSqlite(db) ? db.raw('drop index ??', [name]) : db.raw('drop index ?? on ??', [name, table]),
      );
    },
  };
}

/**
 * The step that replaces the columns of an index under the same name, on one database or both. MySQL does it in one
 * statement, so that queries with an index hint always find the index.
 */
export function replaceIndex(
  table: string,
  name: string,
  { columns, withoutCase, on }: { columns: string[]; withoutCase?: string; on?: 'mysql' | 'sqlite' },
): Step {
  return {
    name: `replace index ${name}`,
    async up(db) {
      if (on && on !== (isSqlite(db) ? 'sqlite' : 'mysql')) return;
      const present = await indexColumns(db, table, name);
      if (present.join() === columns.join()) return;
      const list = columns.map((column) => (column === withoutCase ? '?? collate nocase' : '??')).join(', ');
      if (isSqlite(db)) {
        await db.raw('drop index if exists ??', [name]);
        await db.raw(`create index ?? on ?? (${list})`, [name, table, ...columns]);
        return;
      }
      const drop = present.length > 0 ? db.raw('drop index ??, ', [name]).toQuery() : '';
      await db.raw(`alter table ?? ${drop}add index ?? (${list})`, [table, name, ...columns]);
    },
  };
}

/** The columns of an index in their order; empty if the index does not exist. */
async function indexColumns(db: Db, table: string, name: string): Promise<string[]> {
  const found: unknown = isSqlite(db)
    ? await db.raw('select name from pragma_index_info(?) order by seqno', [name])
    : await db('information_schema.statistics')
        .where({ table_schema: db.raw('database()'), table_name: table, index_name: name })
        .orderBy('seq_in_index')
        .select({ name: 'column_name' });
  return (found as { name: string }[]).map((column) => column.name);
}

function indexName(table: string, columns: string[]): string {
  return `${table}_${columns.join('_')}`.slice(0, 60);
}

const MYSQL_TABLE_EXISTS = 1050;
const MYSQL_COLUMN_EXISTS = 1060;
const MYSQL_INDEX_EXISTS = 1061;
const MYSQL_NO_SUCH_INDEX = 1091;
const JUST_DONE = new Set<unknown>([MYSQL_TABLE_EXISTS, MYSQL_COLUMN_EXISTS, MYSQL_INDEX_EXISTS, MYSQL_NO_SUCH_INDEX]);

/** A server finishes a statement whose client was killed, so a repeated step may find it just done. */
async function unlessJustDone(work: PromiseLike<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (!JUST_DONE.has(errno)) throw error;
  }
}

async function hasIndex(db: Db, table: string, name: string): Promise<boolean> {
  const found: unknown = isSqlite(db)
    ? await db('sqlite_master').where({ type: 'index', name }).first('name')
    : await db('information_schema.statistics')
        .where({ table_schema: db.raw('database()'), table_name: table, index_name: name })
        .first('index_name');
  return found !== undefined;
}

/**
 * The collation that compares bytes, trailing spaces included; undefined on SQLite, which does so by itself. It is one of
 * UTF-8, because a column in ASCII answers a question with an é in it by an error.
 */
async function exactCollation(db: Db): Promise<string | undefined> {
  if (isSqlite(db)) return undefined;
  const answer: unknown = await db.raw('select version() as version');
  const [[row]] = answer as [[{ version: string }]];
  return /mariadb/i.test(row.version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

function columnsOf(table: Knex.CreateTableBuilder, collation: string | undefined): Columns {
  const ascii = (name: string, length: number) => {
    const column = table.string(name, length);
    return collation === undefined ? column : column.collate(collation);
  };
  return {
    table,
    ascii,
    id: (name) => ascii(name, 36),
    time: (name) => table.bigInteger(name),
    hash: (name) => (collation === undefined ? table.binary(name) : table.specificType(name, 'binary(32)')),
    text: (name, length) =>
      collation === undefined
        ? table.specificType(name, `varchar(${length}) collate nocase`)
        : table.string(name, length),
  };
}
