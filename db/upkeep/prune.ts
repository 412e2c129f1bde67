import type { DatabaseConfig } from '../connection/settings.ts';
import { monthStart } from '../../app/domain/times.ts';
import { delay } from '../../app/timing.ts';
import { isSqlite, type Db } from '../connection/connect.ts';
import { tryLockWork } from '../locks/workLock.ts';
import { KEPT_MS } from '../tables/idempotentRequests.ts';
import { REQUESTS_KEPT_MS } from '../tables/usage/apiKeyUsage.ts';
import { HOURS_KEPT_MS } from '../tables/usage/apiKeyUsageHours.ts';

const DAY_MS = 86_400_000;
/** Small batches with a pause between them, so that requests do not wait for their locks. */
const PAUSE_MS = 20;
const BATCH = 1_000;
/** SQLite deletes in this thread, which serves requests: what it deletes at once has to be done within milliseconds. */
const SQLITE_BATCH = 200;
const SQLITE_PAUSE_MS = 5;

/**
 * The rows of a table that are kept: those from this value of the column on, and all with a tenant if only others are
 * pruned.
 */
interface Kept {
  table: string;
  column: string;
  from: (now: number) => number | string;
  tenantless?: boolean;
}

const KEPT: Kept[] = [
  { table: 'api_key_usage', column: 'created_at', from: (now) => now - REQUESTS_KEPT_MS },
  { table: 'api_key_usage_hours', column: 'hour', from: (now) => now - HOURS_KEPT_MS },
  // A row holds a whole month: it is kept until the last day of that month may go.
  { table: 'api_key_usage_months', column: 'month', from: (now) => monthStart(now - 396 * DAY_MS) },
  { table: 'api_key_scope_uses', column: 'day', from: (now) => now - 396 * DAY_MS },
  { table: 'api_key_quotas', column: 'month', from: (now) => new Date(now - 396 * DAY_MS).toISOString().slice(0, 7) },
  // A journal found later than this would be counted again, so it outlives the longest that one may lie about.
  { table: 'usage_batches', column: 'created_at', from: (now) => now - 90 * DAY_MS },
  { table: 'idempotent_requests', column: 'created_at', from: (now) => now - KEPT_MS },
  // Written by processes of the release before alone.
  { table: 'sent_forms', column: 'created_at', from: (now) => now - DAY_MS },
  // Answered invitations are deleted too, since the audit log has the answer.
  { table: 'invitations', column: 'expires_at', from: (now) => now - 30 * DAY_MS },
  { table: 'password_resets', column: 'expires_at', from: (now) => now },
  { table: 'sessions', column: 'expires_at', from: (now) => now },
  // Events without a tenant are read by no owner, and guessing at emails makes any number of them.
  { table: 'audit_logs', column: 'created_at', from: (now) => now - 30 * DAY_MS, tenantless: true },
];

/** How many rows of each table went. */
export type Pruned = Record<string, number>;

/** Deletes old rows in small batches; undefined if another process does so already. */
export async function prune(
  db: Db,
  config: DatabaseConfig,
  now: number,
  stop?: AbortSignal,
): Promise<Pruned | undefined> {
  const unlock = await tryLockWork(db, config, 'pruning');
  if (!unlock) return undefined;
  try {
    return await pruneAll(db, now, stop);
  } finally {
    await unlock();
  }
}

async function pruneAll(db: Db, now: number, stop: AbortSignal | undefined): Promise<Pruned> {
  const pruned: Pruned = {};
  const [most, pauseMs] = isSqlite(db) ? [SQLITE_BATCH, SQLITE_PAUSE_MS] : [BATCH, PAUSE_MS];
  for (const kept of KEPT) {
    let gone = 0;
    let batch = most;
    while (batch === most && !stop?.aborted) {
      batch = await deleteOldest(db, kept, kept.from(now), most);
      gone += batch;
      if (batch === most) await delay(pauseMs);
    }
    pruned[kept.table] = gone;
  }
  return pruned;
}

async function deleteOldest(
  db: Db,
  { table, column, tenantless = false }: Kept,
  before: number | string,
  most: number,
): Promise<number> {
  if (isSqlite(db)) {
    // Built without `delete … limit`.
    const oldest = db(table).select(db.raw('rowid')).where(column, '<', before).orderBy(column).limit(most);
    if (tenantless) void oldest.whereNull('tenant_id');
    return db(table)
      .whereIn(db.raw('rowid') as unknown as string, oldest)
      .delete();
  }
  const which = tenantless ? 'tenant_id is null and ?? < ?' : '?? < ?';
  const answer: unknown = await db.raw(`delete from ?? where ${which} order by ?? limit ?`, [
    table,
    column,
    before,
    column,
    most,
  ]);
  return (answer as [{ affectedRows: number }])[0].affectedRows;
}
