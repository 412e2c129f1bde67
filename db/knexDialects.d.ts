// Knex ships no types for its dialect classes; these are the parts our two clients build on.
declare module 'knex/lib/dialects/mysql2/index.js' {
  import { Knex } from 'knex';
  import type { Connection } from 'mysql2';
  export default class MysqlClient extends Knex.Client {
    _query(connection: Connection, query: KnexQuery): Promise<KnexQuery>;
    acquireRawConnection(): Promise<Connection>;
    destroyRawConnection(connection: Connection): Promise<void>;
  }
}

declare module 'knex/lib/dialects/better-sqlite3/index.js' {
  import { Knex } from 'knex';
  export default class SqliteClient extends Knex.Client {
    connectionSettings: { filename: string; busyTimeoutMs: number; checkpointPages: number; cacheKib: number };
    _formatBindings(bindings: readonly unknown[] | undefined): unknown[];
  }
}

declare module 'knex/lib/dialects/better-sqlite3/transaction.js';

interface KnexQuery {
  sql: string;
  bindings?: readonly unknown[];
  options?: { timeout?: number; [name: string]: unknown };
  response?: unknown;
  context?: unknown;
}
