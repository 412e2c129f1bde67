import type { Position } from '../../app/domain/cursor.ts';
import { along } from '../along.ts';
import type { Db } from '../connect.ts';

/** One request made with a key. */
export interface KeyUsage {
  id: string;
  tenantId: string;
  keyId: string;
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

interface Row {
  id: string;
  tenant_id: string;
  key_id: string;
  method: string;
  endpoint: string;
  status_code: number;
  scope: string | null;
  ip: string | null;
  user_agent: string | null;
  response_ms: number;
  created_at: number;
}

const TABLE = 'api_key_usage';
/** Rows of one statement: SQLite takes 32,766 values at once. */
const CHUNK = 500;

export async function insertKeyUsage(db: Db, usage: readonly KeyUsage[]): Promise<void> {
  const rows = usage.map(rowOf);
  for (let at = 0; at < rows.length; at += CHUNK) await table(db).insert(rows.slice(at, at + CHUNK));
}

/** A key's newest requests, at most `limit`, from behind the position on. */
export async function listKeyUsage(
  db: Db,
  tenantId: string,
  keyId: string,
  { after, limit }: { after?: Position | undefined; limit: number },
): Promise<KeyUsage[]> {
  const rows = db<Row>(along(db, TABLE, 'api_key_usage_key_id_created_at_id'));
  void rows.where({ key_id: keyId, tenant_id: tenantId });
  // The first condition repeats what the second implies: it is the one that an index can begin with.
  if (after) {
    void rows.where('created_at', '<=', after.at);
    void rows.where((row) => void row.where('created_at', '<', after.at).orWhere('id', '<', after.id));
  }
  const newest = await rows.select('*').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  return newest.map(usageOf);
}

function table(db: Db) {
  return db<Row>(TABLE);
}

function rowOf(usage: KeyUsage): Row {
  return {
    id: usage.id,
    tenant_id: usage.tenantId,
    key_id: usage.keyId,
    method: usage.method,
    endpoint: usage.endpoint,
    status_code: usage.statusCode,
    scope: usage.scope,
    ip: usage.ip,
    user_agent: usage.userAgent,
    response_ms: usage.responseMs,
    created_at: usage.createdAt,
  };
}

function usageOf(row: Row): KeyUsage {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    method: row.method,
    endpoint: row.endpoint,
    statusCode: row.status_code,
    scope: row.scope,
    ip: row.ip,
    userAgent: row.user_agent,
    responseMs: row.response_ms,
    createdAt: row.created_at,
  };
}
