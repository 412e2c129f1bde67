import { hashToken, LIFETIME_MS } from '../../app/domain/session.ts';
import { rollUp } from '../../db/upkeep/rollup.ts';
import { connect } from '../../db/connection/connect.ts';
import { insertSession } from '../../db/tables/people/sessions.ts';
import { readConfig } from '../../app/config.ts';
import type { History } from './seedHistory.ts';
import { idIn, idOf } from './seedRows.ts';
import type { Sql } from './sql.ts';

const HOUR = 3_600_000;
const DAY_HOURS = 24;
const DAYS = 30;
/** As many as the page of keys shows, each used in every second hour. */
const SHOWN = 50;

/** The session of the person who owns the first tenant. */
export const SESSION_TOKEN = 'b'.repeat(43);

/** Uses of all keys that the first page of the admin interface shows. */
export async function seedShown(sql: Sql, { keys, now }: History): Promise<void> {
  const newest = (number: string) => idIn(sql, 'key', `${2 * keys - 2} - ${number} * 2`);
  await sql.run(`update api_keys set last_used_at = ${now - HOUR} where id >= ${newest(String(SHOWN - 1))}`);
  const hour = `${Math.floor(now / HOUR) * HOUR} - ${sql.wholePart(`n / ${SHOWN}`)} * ${2 * HOUR}`;
  await sql.run(`
    insert into api_key_usage_hours (key_id, hour, method, endpoint, scope, tenant_id, ok, denied, response_ms)
    select ${newest(`(n % ${SHOWN})`)}, ${hour}, 'GET', '/api/v1/orders', 'orders:read', '${idOf('tenant', 0)}', 40, 1, 90
    from numbers where n < ${(SHOWN * DAYS * DAY_HOURS) / 2}`);
}

/** What the hours that were filled say of scopes, as the server would have noted it. */
export async function seedScopeUses(sql: Sql): Promise<void> {
  await sql.run(`
    insert into api_key_scope_uses (key_id, scope, day, tenant_id)
    select key_id, scope, max(hour - hour % ${DAY_HOURS * HOUR}), max(tenant_id)
    from api_key_usage_hours where scope <> '' group by key_id, scope`);
}

/** Runs housekeeping, and inserts a session. */
export async function settle(env: Record<string, string>, now: number): Promise<void> {
  const { database } = readConfig(env);
  const db = connect(database, { queryTimeoutMs: 60_000 });
  await rollUp(db, database, now);
  const person = { userId: idOf('user', 0), tenantId: idOf('tenant', 0) };
  const times = { createdAt: now, lastSeenAt: now, expiresAt: now + LIFETIME_MS };
  const session = { id: idOf('user', 1), csrfToken: SESSION_TOKEN, ip: null, userAgent: null, ...person, ...times };
  await insertSession(db, session, hashToken(SESSION_TOKEN));
  await db.destroy();
}
