import type { TestServer } from './server.ts';

/** How the database goes about the table in one statement. */
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
      const steps = isSqlite ? (answer as SqliteStep[]) : (answer as [MysqlStep[]])[0];
      return { sql, ...(isSqlite ? onSqlite(steps as SqliteStep[], table) : onMysql(steps as MysqlStep[], table)) };
    }),
  );
}

interface SqliteStep {
  parent: number;
  detail: string;
}

interface MysqlStep {
  table: string | null;
  type: string | null;
  Extra: string | null;
}

/** What is put together of several parts is sorted beside none of the table's steps, and is no sort of the table. */
function onSqlite(steps: readonly SqliteStep[], table: string) {
  const own = steps.filter(({ detail }) => new RegExp(`\\b${table}\\b`).test(detail));
  const sorted = steps.filter(({ detail }) => detail.includes('TEMP B-TREE'));
  return {
    scans: own.some(({ detail }) => detail.includes('SCAN')),
    sorts: sorted.some(({ parent }) => own.some((step) => step.parent === parent)),
  };
}

function onMysql(steps: readonly MysqlStep[], table: string) {
  const own = steps.filter((step) => step.table === table);
  return {
    scans: own.some(({ type }) => type === 'ALL' || type === 'index'),
    sorts: own.some(({ Extra }) => Extra?.includes('filesort') === true),
  };
}
