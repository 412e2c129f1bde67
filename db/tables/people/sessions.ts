import { IDLE_MS } from '../../../app/domain/session.ts';
import type { Db } from '../../connection/connect.ts';

/** A session of a person in one browser. */
export interface Session {
  id: string;
  userId: string;
  /** The tenant whose page was opened last. */
  tenantId: string | null;
  /** The CSRF token of every form of the session. */
  csrfToken: string;
  ip: string | null;
  userAgent: string | null;
  createdAt: number;
  lastSeenAt: number;
  expiresAt: number;
}

interface Row {
  id: string;
  token_hash: Uint8Array;
  user_id: string;
  tenant_id: string | null;
  csrf_token: string;
  ip: string | null;
  user_agent: string | null;
  created_at: number;
  last_seen_at: number;
  expires_at: number;
}

export async function insertSession(db: Db, session: Session, tokenHash: Buffer): Promise<void> {
  await table(db).insert({
    id: session.id,
    token_hash: tokenHash,
    user_id: session.userId,
    tenant_id: session.tenantId,
    csrf_token: session.csrfToken,
    ip: session.ip,
    user_agent: session.userAgent,
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    expires_at: session.expiresAt,
  });
}

/** The open sessions of a person, the one used last first. */
export async function listSessions(db: Db, userId: string, now: number): Promise<Session[]> {
  const rows = await table(db)
    .where({ user_id: userId })
    .andWhere('expires_at', '>', now)
    .andWhere('last_seen_at', '>', now - IDLE_MS)
    .orderBy([
      { column: 'last_seen_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(100);
  return rows.map(sessionOf);
}

export async function updateLastSeen(db: Db, id: string, now: number): Promise<void> {
  await table(db).where({ id }).update({ last_seen_at: now });
}

export async function changeSessionTenant(db: Db, id: string, tenantId: string): Promise<void> {
  await table(db).where({ id }).update({ tenant_id: tenantId });
}

/** Deletes one session of a person; false if they have no session of this id. */
export async function deleteSession(db: Db, userId: string, id: string): Promise<boolean> {
  return (await table(db).where({ id, user_id: userId }).delete()) > 0;
}

/** Ends every session of a person but the one that stays, and says how many those were. */
export async function deleteOtherSessions(db: Db, userId: string, keptId: string | null): Promise<number> {
  const theirs = table(db).where({ user_id: userId });
  return (keptId === null ? theirs : theirs.whereNot({ id: keptId })).delete();
}

export async function deleteSessionByHash(db: Db, tokenHash: Buffer): Promise<void> {
  await table(db).where({ token_hash: tokenHash }).delete();
}

/** Deletes sessions that have expired. */
export async function deleteExpiredSessions(db: Db, now: number): Promise<number> {
  return table(db).where('expires_at', '<=', now).delete();
}

function table(db: Db) {
  return db<Row>('sessions');
}

function sessionOf(row: Row): Session {
  return {
    id: row.id,
    userId: row.user_id,
    tenantId: row.tenant_id,
    csrfToken: row.csrf_token,
    ip: row.ip,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
  };
}
