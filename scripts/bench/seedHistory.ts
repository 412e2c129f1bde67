import { ANSWER } from './answer.ts';
import { idIn, idOf } from './seedRows.ts';
import type { Sql } from './sql.ts';

const DAYS = 30;
const HOUR = 3_600_000;
/** One key has half of all usage; the rest is spread over the others. */
export const BUSY_KEY = idOf('key', 0);

const TENANT = `'${idOf('tenant', 0)}'`;
const PERSON = `'${idOf('user', 0)}'`;

/** How much the first tenant has: keys, and rows over the last month. */
export interface History {
  keys: number;
  rows: number;
  now: number;
}

/** Every second key is the tenant's. */
const keyOf = (sql: Sql, { keys }: History) => idIn(sql, 'key', `n % ${keys} * 2`);

const createdAt = (sql: Sql, { rows, now }: History) =>
  `${now - DAYS * 24 * HOUR} + ${sql.wholePart(`n * ${(DAYS * 24 * HOUR) / rows}`)}`;

export async function seedScopes(sql: Sql): Promise<void> {
  for (const scope of ANSWER.scopes) {
    await sql.run(
      `insert into api_key_scopes (tenant_id, scope, key_created_at, key_id)
       select tenant_id, '${scope}', created_at, id from api_keys order by id`,
    );
  }
}

export async function seedAudit(sql: Sql, history: History): Promise<void> {
  const byPerson = (person: string, key: string) => `case when n % 50 < 2 then ${person} else ${key} end`;
  await fill(sql, 'audit_logs', history, {
    id: idIn(sql, 'audit', 'n'),
    tenant_id: TENANT,
    action: `case n % 50 when 0 then 'API_KEY_CREATED' when 1 then 'API_KEY_REVOKED' else 'API_KEY_USED' end`,
    entity: `'api_key'`,
    entity_id: keyOf(sql, history),
    actor_type: byPerson(`'user'`, `'api_key'`),
    actor_id: byPerson(PERSON, keyOf(sql, history)),
    actor_name: `'somebody'`,
    ip: `'203.0.113.7'`,
    created_at: createdAt(sql, history),
  });
}

export async function seedUsage(sql: Sql, history: History): Promise<void> {
  await fill(sql, 'api_key_usage', history, {
    id: idIn(sql, 'usage', 'n'),
    tenant_id: TENANT,
    key_id: `case n % 2 when 0 then '${BUSY_KEY}' else ${keyOf(sql, history)} end`,
    method: `'GET'`,
    endpoint: `'/api/v1/projects'`,
    status_code: `case n % 40 when 0 then 403 else 200 end`,
    scope: `'projects:read'`,
    ip: `'203.0.113.7'`,
    user_agent: `'a client of the bench/1.0'`,
    response_ms: '1.5',
    created_at: createdAt(sql, history),
  });
  const hour = `${Math.floor(history.now / HOUR) * HOUR} - n * ${HOUR}`;
  await sql.run(`
    insert into api_key_usage_hours (key_id, hour, method, endpoint, scope, tenant_id, ok, denied, response_ms)
    select '${BUSY_KEY}', ${hour}, 'GET', '/api/v1/projects', 'projects:read', ${TENANT}, 3000, 80, 4500
    from numbers where n < ${DAYS * 24}`);
}

async function fill(sql: Sql, table: string, { rows }: History, columns: Record<string, string>): Promise<void> {
  await sql.fill(
    table,
    `insert into ${table} (${Object.keys(columns).join(', ')}) select ${Object.values(columns).join(', ')}
     from numbers where n < ${rows} order by n`,
  );
}
