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
  return { from: fromJson(db, types), value: JSON.stringify(rows.map((row) => names.map((name) => row[name]))) };
}

/**
 * A table expression named `j` that reads rows from one binding: a JSON array of arrays with these columns in this
 * order. `row_index` counts the rows from 0.
 */
export function fromJson(db: Db, types: Record<string, JsonColumn>): string {
  if (isSqlite(db)) {
    const columns = Object.keys(types).map((name, index) => `json_extract(value, '$[${index}]') as \`${name}\``);
    return `(select key as row_index, ${columns.join(', ')} from json_each(?)) as j`;
  }
  const columns = Object.entries(types).map(([name, type], index) => `\`${name}\` ${type} path '$[${index}]'`);
  // It counts from 1.
  const counted = `json_table(?, '$[*]' columns (nth for ordinality, ${columns.join(', ')})) as counted`;
  return `(select nth - 1 as row_index, counted.* from ${counted}) as j`;
}
