import type { Knex } from 'knex';
import { AUDITED, type Actor, type AuditAction, type AuditEntity, type Origin } from '../../app/domain/auditEvent.ts';
import type { Position } from '../../app/domain/cursor.ts';
import { useIndex } from '../sql/indexHints.ts';
import type { Db } from '../connection/connect.ts';
import { isSqlite, type RawDb } from '../connection/rawDb.ts';
import { ROWS_AT_ONCE, rowsToInsert, writeRows, type JsonColumn } from '../sql/jsonRows.ts';
import { newestFirst } from '../sql/newestFirst.ts';

const TABLE = 'audit_logs';

/** One thing that was done; the tenant is null for what happens above tenants. */
export interface AuditLog {
  id: string;
  tenantId: string | null;
  action: AuditAction;
  entity: AuditEntity;
  entityId: string | null;
  actor: Actor;
  origin: Origin;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  createdAt: number;
}

/** The filter of the log; times are inclusive at both ends. */
export interface AuditFilter {
  action?: AuditAction | undefined;
  entity?: AuditEntity | undefined;
  entityId?: string | undefined;
  /** An action left out of the rows, which it would crowd out. */
  without?: AuditAction | undefined;
  actorId?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

interface AuditLogRow {
  id: string;
  tenant_id: string | null;
  action: AuditAction;
  entity: AuditEntity;
  entity_id: string | null;
  actor_type: Actor['type'];
  actor_id: string | null;
  actor_name: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  before: string | null;
  after: string | null;
  window_key: string | null;
  created_at: number;
}

const COLUMNS = {
  id: 'varchar(255)',
  tenant_id: 'varchar(255)',
  action: 'varchar(255)',
  entity: 'varchar(255)',
  entity_id: 'varchar(255)',
  actor_type: 'varchar(255)',
  actor_id: 'varchar(255)',
  actor_name: 'varchar(255)',
  ip: 'varchar(255)',
  user_agent: 'varchar(255)',
  request_id: 'varchar(255)',
  before: 'longtext',
  after: 'longtext',
  window_key: 'varchar(255)',
  created_at: 'bigint',
} as const satisfies Record<keyof AuditLogRow, JsonColumn>;

/** Adds one row. */
export async function insertAuditLog(db: Db, log: AuditLog): Promise<void> {
  await db<AuditLogRow>(TABLE).insert(rowOf(log, null));
}

/** Adds many rows. */
export async function insertAuditLogs(db: Db, logs: readonly AuditLog[]): Promise<void> {
  for (let at = 0; at < logs.length; at += ROWS_AT_ONCE) {
    const rows = logs.slice(at, at + ROWS_AT_ONCE).map((log) => rowOf(log, null));
    const { columns, from, values } = rowsToInsert(db, COLUMNS, rows as readonly JsonRow[]);
    const selected = NAMES.map((name) => columns[name]).join(', ');
    await db.raw(`insert into ${TABLE} (${COLUMN_NAMES.join(', ')}) select ${selected} from ${from}`, values);
  }
}

/** Inserts each row unless its window has one; other faults of a row are thrown. */
export async function insertAuditLogsOncePerWindow(
  db: RawDb,
  logs: readonly { log: AuditLog; window: string }[],
): Promise<void> {
  // In the order of the index, so that two processes never wait for each other crosswise.
  const rows = logs.map(({ log, window }) => rowOf(log, window)).sort(byWindow);
  const insert = `insert into ${TABLE} (${COLUMN_NAMES.join(', ')}) select ${COLUMN_NAMES.map((name) => `j.${name}`).join(', ')}`;
  await writeRows(db, COLUMNS, rows as readonly JsonRow[], (from) =>
    // MySQL's clause answers to every unique index and IGNORE to every fault: a null id makes all but the window fail.
    isSqlite(db)
      ? `${insert} from ${from} where true on conflict (window_key) do nothing`
      : `${insert} from ${from} on duplicate key update id = if(${TABLE}.window_key = j.window_key, ${TABLE}.id, null)`,
  );
}

type JsonRow = Record<keyof AuditLogRow, string | number | null>;
const NAMES = Object.keys(COLUMNS) as (keyof AuditLogRow)[];
const COLUMN_NAMES = NAMES.map((name) => `\`${name}\``);

/** Lists the tenant's newest matching rows, at most `limit`, after the position. */
export async function listAuditLogs(
  db: Db,
  tenantId: string,
  filter: AuditFilter,
  { after, limit }: { after?: Position | undefined; limit: number },
): Promise<AuditLog[]> {
  const newest = (action?: AuditAction): Knex.QueryBuilder<AuditLogRow, AuditLogRow[]> => {
    const rows = db<AuditLogRow>(useIndex(db, TABLE, indexFor(filter, action)));
    void rows.where({ tenant_id: tenantId, ...(action && { action }) });
    narrow(rows, filter);
    newestFirst(rows, { after, limit });
    return rows;
  };
  const actions = actionsToAsk(filter);
  if (!actions) return (await newest().select('*')).map(logOf);
  const [only, ...others] = actions;
  if (only === undefined) return [];
  if (others.length === 0) return (await newest(only).select('*')).map(logOf);
  // Each action has an index that answers alone: the newest of each, sorted, hold the newest of all.
  const ofEach = actions.map((action, at) =>
    db.select('id', 'created_at').from(newest(action).select('id', 'created_at').as(`of_${at}`)),
  );
  const found = db.select<{ id: string }[]>('id').from(db.unionAll(ofEach).as('found'));
  const ids = await found.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  const rows = await db<AuditLogRow>(TABLE).whereIn(
    'id',
    ids.map(({ id }) => id),
  );
  return rows.sort(byAge).map(logOf);
}

/** The actions to query one by one; undefined if one index serves them all. */
function actionsToAsk({ action, entity, entityId, without, actorId }: AuditFilter): AuditAction[] | undefined {
  if (action) return entity && AUDITED[action] !== entity ? [] : [action];
  if (!without && (!entity || entityId !== undefined || actorId !== undefined)) return undefined;
  const all = Object.keys(AUDITED) as AuditAction[];
  return all.filter((one) => one !== without && (!entity || AUDITED[one] === entity));
}

/** The index for the narrowest filter, in the order of the list. */
function indexFor({ entityId, actorId }: AuditFilter, action: AuditAction | undefined): string {
  const byAction = action ? 'action_' : '';
  const column = entityId !== undefined ? 'entity_id_' : actorId !== undefined ? 'actor_id_' : '';
  return `${TABLE}_tenant_id_${column}${byAction}created_at_id`;
}

function narrow(
  rows: Knex.QueryBuilder<AuditLogRow, AuditLogRow[]>,
  { entity, entityId, actorId, from, to }: AuditFilter,
): void {
  if (entity) void rows.where({ entity });
  if (entityId !== undefined) void rows.where({ entity_id: entityId });
  if (actorId !== undefined) void rows.where({ actor_id: actorId });
  if (from !== undefined) void rows.where('created_at', '>=', from);
  if (to !== undefined) void rows.where('created_at', '<=', to);
}

function byAge(a: AuditLogRow, b: AuditLogRow): number {
  return b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
}

function byWindow(a: AuditLogRow, b: AuditLogRow): number {
  return (a.window_key ?? '') < (b.window_key ?? '') ? -1 : 1;
}

function rowOf(log: AuditLog, window: string | null): AuditLogRow {
  return {
    id: log.id,
    tenant_id: log.tenantId,
    action: log.action,
    entity: log.entity,
    entity_id: log.entityId,
    actor_type: log.actor.type,
    actor_id: log.actor.id,
    actor_name: log.actor.name,
    ip: log.origin.ip,
    user_agent: log.origin.userAgent,
    request_id: log.origin.requestId,
    before: log.before && JSON.stringify(log.before),
    after: log.after && JSON.stringify(log.after),
    window_key: window,
    created_at: log.createdAt,
  };
}

function logOf(row: AuditLogRow): AuditLog {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    action: row.action,
    entity: row.entity,
    entityId: row.entity_id,
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    origin: { ip: row.ip, userAgent: row.user_agent, requestId: row.request_id },
    before: fieldsOf(row.before),
    after: fieldsOf(row.after),
    createdAt: row.created_at,
  };
}

function fieldsOf(text: string | null): Record<string, unknown> | null {
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
}
