import type { Knex } from 'knex';
import type { Position } from '../../../app/domain/cursor.ts';
import { DENIED_STATUSES, type RequestOutcome } from '../../../app/domain/requestOutcome.ts';
import type { Span } from '../../../app/domain/times.ts';
import { escapeLike, LIKE } from '../../sql/like.ts';
import { useIndex } from '../../sql/indexHints.ts';
import type { Db } from '../../connection/connect.ts';
import { isSqlite, type RawDb } from '../../connection/rawDb.ts';
import { fromJson, runForEach, type JsonColumn } from '../../sql/jsonRows.ts';
import { newestFirst } from '../../sql/newestFirst.ts';
import type { UsageBatch } from './usageBatches.ts';

/** One request made with a key, as the journal and the usage log both have it. */
export interface LoggedRequest {
  keyId: string;
  tenantId: string;
  method: string;
  /** The route, not the address: no ids, no secrets. */
  endpoint: string;
  statusCode: number;
  scope: string | null;
  ip: string | null;
  userAgent: string | null;
  responseMs: number;
  createdAt: number;
}

export interface KeyUsage extends LoggedRequest {
  id: string;
}

const TABLE = 'api_key_usage';
const INDEX = 'api_key_usage_key_id_created_at_id';

/** The column of each field, and its type where it is handed over: insert and read follow from this. */
const COLUMNS = {
  keyId: { column: 'key_id', type: 'varchar(255)' },
  tenantId: { column: 'tenant_id', type: 'varchar(255)' },
  method: { column: 'method', type: 'varchar(255)' },
  endpoint: { column: 'endpoint', type: 'varchar(255)' },
  statusCode: { column: 'status_code', type: 'bigint' },
  scope: { column: 'scope', type: 'varchar(255)' },
  ip: { column: 'ip', type: 'varchar(255)' },
  userAgent: { column: 'user_agent', type: 'varchar(255)' },
  responseMs: { column: 'response_ms', type: 'double' },
  createdAt: { column: 'created_at', type: 'bigint' },
} as const satisfies Record<keyof LoggedRequest, { column: string; type: JsonColumn }>;

const FIELDS = Object.keys(COLUMNS) as (keyof LoggedRequest)[];

type Row = { id: string } & { [Name in keyof LoggedRequest as (typeof COLUMNS)[Name]['column']]: LoggedRequest[Name] };

/** Where each column is in a line of the journal. */
const IN_JSON = FIELDS.map((field) => ({ name: COLUMNS[field].column, type: COLUMNS[field].type, path: `.${field}` }));

/** Batches are far smaller; the number of a use is its batch's and its place in it, as one. */
const LARGEST_BATCH = 0x100000;
/** What an id takes of the process's; the rest of its 36 characters is the use's number. */
const OF_PROCESS = 24;

/** A batch of uses, and the same as a JSON array. */
interface Requests {
  uses: readonly LoggedRequest[];
  json: string;
}

const COLUMN_LIST = FIELDS.map((field) => COLUMNS[field].column).join(', ');
const INSERT = `insert into ${TABLE} (id, ${COLUMN_LIST})`;

/** A use with its place in its batch. */
export interface PlacedUse {
  batch: UsageBatch;
  place: number;
  use: LoggedRequest;
}

/** Writes a batch of uses; ids are the same whenever it is tried, and in their order. */
export async function insertKeyUsage(db: RawDb, batch: UsageBatch, { uses, json }: Requests): Promise<void> {
  if (isSqlite(db)) {
    await insertPlacedUses(
      db,
      uses.map((use, place) => ({ batch, place, use })),
    );
    return;
  }
  const id = "concat(?, lpad(lower(hex(? + j.row_index)), 12, '0'))";
  const first = batch.sequence * LARGEST_BATCH;
  await db.raw(`${INSERT} select ${id}, ${COLUMN_LIST} from ${fromJson(db, IN_JSON)}`, [
    partOfProcess(batch),
    first,
    json,
  ]);
}

/** Writes uses of any batches into SQLite, but those that are there already. */
export async function insertPlacedUses(db: RawDb, uses: readonly PlacedUse[]): Promise<void> {
  const rows = uses.map(({ batch, place, use }) => [
    partOfProcess(batch) + (batch.sequence * LARGEST_BATCH + place).toString(16).padStart(12, '0'),
    ...FIELDS.map((field) => use[field]),
  ]);
  await runForEach(db, `${INSERT} values (?${', ?'.repeat(FIELDS.length)}) on conflict (id) do nothing`, rows);
}

function partOfProcess({ processId }: UsageBatch): string {
  return processId.slice(0, OF_PROCESS);
}

/** For how long each request is kept. */
export const REQUESTS_KEPT_MS = 30 * 86_400_000;

/** Which requests of a key are looked for; the address is what theirs begin with. */
export interface UsageFilter {
  span?: Span | undefined;
  status?: RequestOutcome | number | undefined;
  route?: { method: string; endpoint: string } | undefined;
  ip?: string | undefined;
}

/** A key's newest requests, at most `limit`, from behind the position on. */
export async function listKeyUsage(
  db: Db,
  tenantId: string,
  keyId: string,
  { after, limit, ...filter }: { after?: Position | undefined; limit: number } & UsageFilter,
): Promise<KeyUsage[]> {
  const rows = ofKey(db, tenantId, keyId, filter.span);
  const { status, route, ip } = filter;
  if (route) void rows.where(route);
  if (typeof status === 'number') void rows.where({ status_code: status });
  else if (status === 'ok') void rows.where('status_code', '<', 400);
  else if (status === 'denied') void rows.whereIn('status_code', DENIED_STATUSES);
  else if (status === 'error') void rows.where('status_code', '>=', 400).whereNotIn('status_code', DENIED_STATUSES);
  if (ip !== undefined) void rows.whereRaw(`ip ${LIKE}`, [`${escapeLike(ip)}%`]);
  newestFirst(rows, { after, limit });
  return (await rows.select('*')).map(usageOf);
}

/** Where the request stands that this many of the key's requests follow, counted from behind a position on; undefined if there are fewer. */
export async function positionOfKeyUsage(
  db: Db,
  tenantId: string,
  keyId: string,
  { after, span, count }: { after: Position | undefined; span: Span; count: number },
): Promise<Position | undefined> {
  const rows = ofKey(db, tenantId, keyId, span);
  newestFirst(rows, { after, limit: 1 });
  const [row] = await rows.offset(count - 1).select('created_at', 'id');
  return row && { at: row.created_at, id: row.id };
}

/** The first of a key's requests that are still kept; undefined before any is written. */
export async function findFirstKeyUsage(db: Db, tenantId: string, keyId: string): Promise<KeyUsage | undefined> {
  const [row] = await db<Row>(useIndex(db, TABLE, INDEX))
    .where({ key_id: keyId, tenant_id: tenantId })
    .orderBy([{ column: 'created_at' }, { column: 'id' }])
    .limit(1)
    .select('*');
  return row && usageOf(row);
}

/** How long requests of keys in a span took, of at most `limit` of them. */
export async function responseMsWithin(
  db: Db,
  tenantId: string,
  { keyIds, from, to }: { keyIds: readonly string[] } & Span,
  limit: number,
): Promise<number[]> {
  const rows = await db<Row>(useIndex(db, TABLE, INDEX))
    .whereIn('key_id', [...keyIds])
    .where({ tenant_id: tenantId })
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .limit(limit)
    .select('response_ms');
  return rows.map((row) => row.response_ms);
}

/** How long the first requests in each of these spans of keys took, at most `limit` of each. */
export async function responseMsAt(
  db: Db,
  tenantId: string,
  spans: readonly ({ keyId: string } & Span)[],
  limit: number,
): Promise<number[]> {
  const parts = spans.map(({ keyId, from, to }) => {
    const first = ofKey(db, tenantId, keyId, { from, to }).orderBy('created_at').limit(limit).select('response_ms');
    return db.from(first.as('first')).select('response_ms');
  });
  const rows = (await db.unionAll(parts as Knex.QueryBuilder[])) as Pick<Row, 'response_ms'>[];
  return rows.map((row) => row.response_ms);
}

/** One program that a key was used by: its address, and what it calls itself. */
export interface KeyClient {
  ip: string | null;
  userAgent: string | null;
  requests: number;
  lastAt: number;
}

/** How many requests a key made since a moment; counting stops at `most`. */
export async function countUsesSince(
  db: Db,
  tenantId: string,
  keyId: string,
  since: number,
  most: number,
): Promise<number> {
  const some = usesSince(db, tenantId, keyId, since).select(db.raw('1 as one')).limit(most).as('some');
  const [counted] = await db.from(some).count<{ total: number }[]>({ total: '*' });
  return counted?.total ?? 0;
}

/** Who used a key since a moment, the busiest first; a busy key is judged by its newest requests. */
export async function clientsSince(
  db: Db,
  tenantId: string,
  keyId: string,
  since: number,
  limit: number,
): Promise<KeyClient[]> {
  const newest = usesSince(db, tenantId, keyId, since)
    .select('ip', 'user_agent', 'created_at')
    .orderBy('created_at', 'desc')
    .limit(NEWEST)
    .as('newest');
  const counts = [db.raw<number>('count(*) as requests'), db.raw<number>('max(created_at) as last_at')];
  const rows = await db
    .from(newest)
    .select<(Pick<Row, 'ip' | 'user_agent'> & { requests: number; last_at: number })[]>('ip', 'user_agent', ...counts)
    .groupBy('ip', 'user_agent')
    .orderBy([
      { column: 'requests', order: 'desc' },
      { column: 'last_at', order: 'desc' },
    ])
    .limit(limit);
  return rows.map((row) => ({
    ip: row.ip,
    userAgent: row.user_agent,
    requests: row.requests,
    lastAt: row.last_at,
  }));
}

const NEWEST = 5_000;

function usesSince(db: Db, tenantId: string, keyId: string, since: number) {
  return ofKey(db, tenantId, keyId).where('created_at', '>=', since);
}

function ofKey(db: Db, tenantId: string, keyId: string, span?: Span) {
  const rows = db<Row>(useIndex(db, TABLE, INDEX));
  void rows.where({ key_id: keyId, tenant_id: tenantId });
  if (span) void rows.where('created_at', '>=', span.from).where('created_at', '<', span.to);
  return rows;
}

function usageOf(row: Row): KeyUsage {
  const fields = FIELDS.map((field) => [field, row[COLUMNS[field].column]]);
  return { id: row.id, ...(Object.fromEntries(fields) as LoggedRequest) };
}
