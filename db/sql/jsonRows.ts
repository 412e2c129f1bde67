import { isSqlite, type RawDb } from '../connection/rawDb.ts';

/** MySQL's type of a column in the JSON rows; SQLite needs none. */
export type JsonColumn = 'varchar(255)' | 'longtext' | 'bigint' | 'double';

/** How many rows go into one statement: enough to share its cost, and few enough to be done well before its deadline. */
export const ROWS_AT_ONCE = 1_000;

/**
 * Many rows as one value: `from` is what a statement reads them from, under the name `j`, and `value` its one binding.
 * A statement with a binding for each field of a thousand rows costs the process more than all their requests did.
 */
export function jsonRows<Name extends string>(
  db: RawDb,
  types: Record<Name, JsonColumn>,
  rows: readonly Record<Name, string | number | null>[],
): { from: string; value: string } {
  const names = Object.keys(types) as Name[];
  const columns = names.map((name, index) => ({ name, type: types[name], path: `[${index}]` }));
  return { from: fromJson(db, columns), value: JSON.stringify(rows.map((row) => names.map((name) => row[name]))) };
}

/**
 * Runs a statement over many rows, which `statement` reads from what it is given, under the name `j`. SQLite runs it once a
 * row, all in one transaction: that takes a third less than reading them out of JSON.
 */
export async function writeRows<Name extends string>(
  db: RawDb,
  types: Record<Name, JsonColumn>,
  rows: readonly Record<Name, string | number | null>[],
  statement: (from: string) => string,
): Promise<void> {
  const names = Object.keys(types) as Name[];
  const one = `(select ${names.map((name) => `? as \`${name}\``).join(', ')}) as j`;
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = rows.slice(at, at + ROWS_AT_ONCE);
    if (isSqlite(db)) {
      await runForEach(
        db,
        statement(one),
        some.map((row) => names.map((name) => row[name])),
      );
    } else {
      const { from, value } = jsonRows(db, types, some);
      await db.raw(statement(from), [value]);
    }
  }
}

/** What Knex runs a statement with. */
interface KnexStatements {
  raw(sql: string): { options(options: { rows: readonly unknown[] }): PromiseLike<unknown> };
}

/** Runs a statement of SQLite once for each list of values, all in one transaction. */
export async function runForEach(
  db: RawDb,
  sql: string,
  rows: readonly (readonly (string | number | null)[])[],
): Promise<void> {
  if (db.runForEach) await db.runForEach(sql, rows);
  else await (db as unknown as KnexStatements).raw(sql).options({ rows });
}

/**
 * What adds many rows to a table: as `jsonRows`, but a column in which all rows agree is bound once and stands in the
 * JSON of none. `columns` says what to select for each column; `values` are bound in the order of the columns.
 */
export function rowsToInsert<Name extends string>(
  db: RawDb,
  types: Record<Name, JsonColumn>,
  rows: readonly Record<Name, string | number | null>[],
): { columns: Record<Name, string>; from: string; values: (string | number | null)[] } {
  const names = Object.keys(types) as Name[];
  const shared = new Map(
    names.flatMap((name) => {
      const value = rows[0]?.[name] ?? null;
      return rows.every((row) => row[name] === value) ? [[name, value] as const] : [];
    }),
  );
  const own = names.filter((name) => !shared.has(name)).map((name) => [name, types[name]] as const);
  const { from, value } = jsonRows(db, Object.fromEntries(own) as Record<string, JsonColumn>, rows);
  const columns = names.map((name) => [name, shared.has(name) ? '?' : `j.\`${name}\``] as const);
  return { columns: Object.fromEntries(columns) as Record<Name, string>, from, values: [...shared.values(), value] };
}

/** A column that is read from JSON, and its path in the JSON of its row, such as `[0]` or `.name`. */
export interface ColumnInJson {
  name: string;
  type: JsonColumn;
  path: string;
}

/**
 * What a statement reads rows from, under the name `j`, where its one binding is a JSON array of rows. Each row's number
 * among them is `row_index`, from 0.
 */
export function fromJson(db: RawDb, columns: readonly ColumnInJson[]): string {
  if (isSqlite(db)) {
    const read = columns.map(({ name, path }) => `json_extract(value, '$${path}') as \`${name}\``);
    return `(select ${['key as row_index', ...read].join(', ')} from json_each(?)) as j`;
  }
  const read = columns.map(({ name, type, path }) => `\`${name}\` ${type} path '$${path}'`);
  // `for ordinality` counts from 1.
  const counted = `json_table(?, '$[*]' columns (${['nth for ordinality', ...read].join(', ')})) as counted`;
  return `(select nth - 1 as row_index, counted.* from ${counted}) as j`;
}
