import { count } from './figures.ts';
import type { Stores } from './stores.ts';

interface Step {
  table: string | null;
  type: string | null;
  key: string | null;
  rows: number | null;
  Extra: string | null;
}

/** Tables, and the names that questions have for those they join. */
const OF_INTEREST = /\b(api_keys|api_key_\w+|audit_logs|granted)\b/;

/** What MariaDB says of every question on keys, usage and audit that the work puts to it, one line each. */
export async function explained(stores: Stores, schema: string, work: () => Promise<unknown>): Promise<string[]> {
  const statements = await logged(stores, schema, work);
  const lines: string[] = [];
  for (const statement of statements) {
    const steps = await stores.query<Step>(`explain ${statement}`, schema);
    const ways = steps.filter(({ table }) => table !== null && OF_INTEREST.test(table)).map(wayOf);
    // Nothing is left where the server could tell without a look that there is nothing.
    if (ways.length > 0) lines.push(`${/^select count\(/i.test(statement) ? 'count: ' : ''}${ways.join(', ')}`);
  }
  return lines;
}

/** The server's own log of statements, so that what is explained is what the app asks. */
async function logged(stores: Stores, schema: string, work: () => Promise<unknown>): Promise<string[]> {
  await stores.query("set global log_output = 'TABLE'");
  await stores.query('truncate table mysql.general_log');
  await stores.query('set global general_log = on');
  try {
    await work();
  } finally {
    await stores.query('set global general_log = off');
  }
  const rows = await stores.query<{ statement: string }>(
    "select convert(argument using utf8mb4) as statement from mysql.general_log where command_type in ('Query', 'Execute') order by event_time",
    schema,
  );
  return rows
    .map(({ statement }) => statement.trim())
    .filter((text) => /^select/i.test(text) && OF_INTEREST.test(text));
}

function wayOf({ table, type, key, rows, Extra }: Step): string {
  if (table === null) return Extra ?? 'no table';
  const index = key === null ? `${table} WITHOUT AN INDEX` : key === 'PRIMARY' ? `the primary key of ${table}` : key;
  const whole = type === 'index' ? ' from end to end' : '';
  const sorted = Extra?.includes('filesort') ? ', sorted' : '';
  return `${index}${whole} (about ${count(rows ?? 0)} rows${sorted})`;
}
