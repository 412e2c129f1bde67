import { isSqlite, type Db } from './connect.ts';

/** MySQL's type of a column that rows are handed over in; SQLite needs none. */
export type JsonColumn = 'varchar(255)' | 'bigint' | 'double';

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
  const value = JSON.stringify(rows.map((row) => names.map((name) => row[name])));
  const columns = names.map((name, place) =>
    isSqlite(db) ? `json_extract(value, '$[${place}]') as ${name}` : `${name} ${types[name]} path '$[${place}]'`,
  );
  const from = isSqlite(db)
    ? `(select ${columns.join(', ')} from json_each(?)) as j`
    : `json_table(?, '$[*]' columns (${columns.join(', ')})) as j`;
  return { from, value };
}
