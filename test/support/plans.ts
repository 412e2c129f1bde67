import type { TestServer } from './server.ts';

/** How the database goes about one statement. */
export interface Explained {
  sql: string;
  /** Whether it reads a table from one end to the other. */
  scans: boolean;
  /** Whether it has to sort what it found. */
  sorts: boolean;
}

interface Statement {
  sql: string;
  bindings?: readonly (string | number | null)[];
}

/** Does something and tells how the database went about each `select` from the table meanwhile. */
export async function explained(
  { services: { db, config } }: TestServer,
  table: string,
  work: () => Promise<unknown>,
): Promise<Explained[]> {
  const asked: Statement[] = [];
  const note = (statement: Statement) => {
    if (new RegExp(`^select .* from [\`"]${table}[\`"]`).test(statement.sql)) asked.push(statement);
  };
  db.on('query', note);
  await work();
  db.removeListener('query', note);
  const isSqlite = config.database.kind === 'sqlite';
  return Promise.all(
    asked.map(async ({ sql, bindings = [] }) => {
      const answer: unknown = await db.raw(`${isSqlite ? 'explain query plan' : 'explain'} ${sql}`, [...bindings]);
      const text = JSON.stringify(isSqlite ? answer : (answer as [unknown])[0]);
      return { sql, scans: /SCAN|"type":"(ALL|index)"/.test(text), sorts: /TEMP B-TREE|filesort/.test(text) };
    }),
  );
}
