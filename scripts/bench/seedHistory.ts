import { ANSWER } from './answer.ts';
import { idIn, idOf } from './seedRows.ts';
import type { Sql } from './sql.ts';

const DAYS = 30;
const HOUR = 3_600_000;
/** One key has half of all usage; the rest is spread over the others. */
export const BUSY_KEY = idOf('key', 0);

/** Audit and usage rows of one tenant over the last month, and the scopes of its keys; call it after the keys. */
export async function seedHistory(sql: Sql, keys: number, rows: number, now: number): Promise<void> {
  for (const scope of ANSWER.scopes) {
    await sql.run(
      `insert into api_key_scopes (tenant_id, scope, key_created_at, key_id)
       select tenant_id, '${scope}', created_at, id from api_keys order by id`,
    );
  }
  const createdAt = `${now - DAYS * 24 * HOUR} + ${sql.wholePart(`n * ${(DAYS * 24 * HOUR) / rows}`)}`;
  const tenant = `'${idOf('tenant', 0)}'`;
  await fill(sql, 'audit_logs', rows, {
    id: idIn(sql, 'audit', 'n'),
    tenant_id: tenant,
    action: `case n % 50 when 0 then 'API_KEY_CREATED' when 1 then 'API_KEY_REVOKED' when 2 then 'LOGIN' else 'API_KEY_USED' end`,
    entity: `'api_key'`,
    entity_id: idIn(sql, 'key', `n % ${keys}`),
    actor_type: `case n % 50 when 0 then 'user' when 1 then 'user' else 'api_key' end`,
    actor_id: `case n % 50 when 0 then '${idOf('user', 0)}' when 1 then '${idOf('user', 0)}' else ${idIn(sql, 'key', `n % ${keys}`)} end`,
    actor_name: `'somebody'`,
    ip: `'203.0.113.7'`,
    created_at: createdAt,
  });
  await fill(sql, 'api_key_usage', rows, {
    id: idIn(sql, 'usage', 'n'),
    tenant_id: tenant,
    key_id: `case n % 2 when 0 then '${BUSY_KEY}' else ${idIn(sql, 'key', `n % ${keys}`)} end`,
    method: `'GET'`,
    endpoint: `'/api/v1/projects'`,
    status_code: `case n % 40 when 0 then 403 else 200 end`,
    scope: `'projects:read'`,
    ip: `'203.0.113.7'`,
    user_agent: `'a client of the bench/1.0'`,
    response_ms: '1.5',
    created_at: createdAt,
  });
  const hour = `${Math.floor(now / HOUR) * HOUR} - n * ${HOUR}`;
  await sql.run(`
    insert into api_key_usage_hours (key_id, hour, method, endpoint, scope, tenant_id, ok, denied, response_ms)
    select '${BUSY_KEY}', ${hour}, 'GET', '/api/v1/projects', 'projects:read', ${tenant}, 3000, 80, 4500
    from numbers where n < ${Math.min(rows, DAYS * 24)}`);
}

async function fill(sql: Sql, table: string, rows: number, columns: Record<string, string>): Promise<void> {
  await sql.fill(
    table,
    `insert into ${table} (${Object.keys(columns).join(', ')}) select ${Object.values(columns).join(', ')}
     from numbers where n < ${rows} order by n`,
  );
}
