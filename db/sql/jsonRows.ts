import { isSqlite, type Db } from '../connection/connect.ts';

/** MySQL's type of a column in the JSON rows; SQLite needs none. */
export type JsonColumn = 'varchar(255)' | 'longtext' | 'bigint' | 'double';

/** How many rows go into one statement: enough to share its cost, and few enough to be done well before its deadline. */
export const ROWS_AT_ONCE = 1_000;

/**
 * Many rows as one value: `from` is what a statement reads them from, under the name `j`, and `value` its one binding.
 * A statement with a binding for each field of a thousand rows costs the process more than all their requests did.
 */
export function jsonRows<Name extends string>(
  db: Db,
  types: Record<Name, JsonColumn>,
  rows: readonly Record<Name, string | number | null>[],
): { from: string; value: string } {
  const names = Object.keys(types) as Name[];
  const columns = names.map((name, index) => ({ name, type: types[name], path: `[${index}]` }));
  return { from: fromJson(db, columns), value: JSON.stringify(rows.map((row) => names.map((name) => row[name]))) };
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
export function fromJson(db: Db, columns: readonly ColumnInJson[]): string {
  if (isSqlite(db)) {
    const read = columns.map(({ name, path }) => `json_extract(value, '$${path}') as \`${name}\``);
    return `(select key as row_index, ${read.join(', ')} from json_each(?)) as j`;
  }
  const read = columns.map(({ name, type, path }) => `\`${name}\` ${type} path '$${path}'`);
  // It counts from 1.
  const counted = `json_table(?, '$[*]' columns (nth for ordinality, ${read.join(', ')})) as counted`;
  return `(select nth - 1 as row_index, counted.* from ${counted}) as j`;
}
