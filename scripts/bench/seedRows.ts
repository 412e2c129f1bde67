import { readFileSync } from 'node:fs';
import { hashKey, parseKey } from '../../app/domain/token.ts';
import { ANSWER } from './answer.ts';
import type { Sql } from './sql.ts';

/** Ids of the bench's rows say what they are of and their number, in the order in which they were made. */
export type Kind = 'tenant' | 'key' | 'user' | 'audit' | 'usage';

const KINDS: Kind[] = ['tenant', 'key', 'user', 'audit', 'usage'];
const digitOf = (kind: Kind) => String(KINDS.indexOf(kind) + 1);
const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** The id of a numbered row. */
export function idOf(kind: Kind, number: number): string {
  return `0193${hex(number >> 16, 4)}-${hex(number & 65535, 4)}-7000-8${digitOf(kind)}00-${hex(number, 12)}`;
}

/** The same as an expression over a number of a query. */
export function idIn(sql: Sql, kind: Kind, number: string): string {
  const parts = [
    `'0193'`,
    sql.hex(`(${number}) >> 16`, 4),
    `'-'`,
    sql.hex(`(${number}) & 65535`, 4),
    `'-7000-8${digitOf(kind)}00-'`,
    sql.hex(number, 12),
  ];
  return `concat(${parts.join(', ')})`;
}

/** A table `numbers` from 0, as a source of rows on every database, made by statements that need no temporary table. */
export async function makeNumbers(sql: Sql, count: number): Promise<void> {
  await sql.run('create table thousand (d integer primary key)');
  await sql.insert(
    'thousand',
    Array.from({ length: THOUSAND }, (_, number) => [number]),
  );
  await sql.run('create table numbers (n integer primary key)');
  for (let from = 0; from < count; from += THOUSAND * THOUSAND) {
    const number = `${from} + a.d * ${THOUSAND} + b.d`;
    await sql.run(
      `insert into numbers select ${number} from thousand a, thousand b where a.d < ${(count - from) / THOUSAND} and ${number} < ${count}`,
    );
  }
}

const THOUSAND = 1_000;
const KEYS_PER_TENANT = 100;
const CALLER_SCOPES = JSON.stringify(['platform:verify', 'platform:routes']);

export interface KeysPlan {
  count: number;
  /** Every second key belongs to the first tenant; otherwise each tenant has a hundred. */
  largeTenant: boolean;
  /** The texts of the keys that will be used, one a line; the others are hashes of nothing. */
  keysFile?: string;
  /** The texts of more keys, of the first tenant, that will be revoked. */
  victimsFile?: string;
  /** The text of one more, which may ask about the keys of all tenants. */
  callerFile?: string;
}

/** Tenants, their keys, and one person who owns the first tenant. */
export async function seedKeys(sql: Sql, plan: KeysPlan, now: number): Promise<void> {
  const { count } = plan;
  const tenantOf = (number: string) => {
    const inTurn = sql.wholePart(`${number} / ${KEYS_PER_TENANT}`);
    return plan.largeTenant ? `case ${number} % 2 when 0 then 0 else ${inTurn} end` : inTurn;
  };
  // Each tenant's keys are of every sort, large or small.
  const sort = sql.wholePart('n.n / 2');
  await seedUsed(sql, plan);
  await sql.run(`
    insert into tenants (id, slug, name, status, plan, created_at, updated_at)
    select ${idIn(sql, 'tenant', 'n')}, concat('tenant-', ${sql.hex('n', 6)}), concat('Tenant ', n), 'active', 'free', ${now}, ${now}
    from numbers where n < ${Math.max(1, count / KEYS_PER_TENANT)}`);
  await sql.run(`
    insert into users (id, email, name, status, operator, created_at, updated_at)
    values ('${idOf('user', 0)}', 'olga@example.com', 'Olga', 'active', 0, ${now}, ${now})`);
  await sql.run(`
    insert into memberships (tenant_id, user_id, role, permissions, created_at, updated_at)
    values ('${idOf('tenant', 0)}', '${idOf('user', 0)}', 'OWNER', '[]', ${now}, ${now})`);
  const spread = Math.floor((300 * 86_400_000) / count);
  const columns = {
    id: idIn(sql, 'key', 'n.n'),
    tenant_id: idIn(sql, 'tenant', `case when n.n >= ${count} then 0 else ${tenantOf('n.n')} end`),
    key_hash: `coalesce(u.key_hash, ${sql.anyHash('n.n')})`,
    key_prefix: `coalesce(u.key_prefix, concat('fsk_live_', ${sql.hex('(n.n * 40503) % 4294967296', 8)}))`,
    last_four: `coalesce(u.last_four, ${sql.hex('n.n % 65536', 4)})`,
    name: `concat('key ', ${sql.hex('n.n', 6)}, ' of the ', case ${sort} % 3 when 0 then 'nightly export' when 1 then 'billing worker' else 'build server' end)`,
    environment: `case ${sort} % 10 when 9 then 'test' else 'live' end`,
    scopes: `case n.n when ${count + victimsOf(plan).length} then '${CALLER_SCOPES}' else '${JSON.stringify(ANSWER.scopes)}' end`,
    metadata: `'{}'`,
    expires_at: `case when u.n is null and ${sort} % 20 = 1 then ${now - 86_400_000} end`,
    revoked_at: `case when u.n is null and ${sort} % 20 = 2 then ${now - 86_400_000} end`,
    last_used_at: `case when ${sort} % 3 = 0 then ${now - 3_600_000} - n.n end`,
    created_at: `${now - 300 * 86_400_000} + n.n * ${spread}`,
    updated_at: `${now}`,
  };
  // An earlier build, compared with this one, has fewer of them.
  const stored = await sql.columnsOf('api_keys');
  const filled = Object.entries(columns).filter(([name]) => stored.includes(name));
  await sql.fill(
    'api_keys',
    `insert into api_keys (${filled.map(([name]) => name).join(', ')}) select ${filled.map(([, value]) => value).join(', ')}
     from numbers n left join used u on u.n = n.n
     where n.n < ${count + victimsOf(plan).length + callersOf(plan).length} order by n.n`,
  );
}

/** The keys whose texts are known, spread evenly over all, after them those to revoke, and the one that asks about others. */
async function seedUsed(sql: Sql, plan: KeysPlan): Promise<void> {
  await sql.run(
    'create table used (n integer primary key, key_hash blob, key_prefix varchar(48), last_four varchar(4))',
  );
  const texts = linesOf(plan.keysFile);
  const stride = plan.count / Math.max(1, texts.length);
  const used = texts.map((text, index) => usedRow(Math.floor(index * stride), text));
  const more = [...victimsOf(plan), ...callersOf(plan)].map((text, index) => usedRow(plan.count + index, text));
  await sql.insert('used', [...used, ...more]);
}

function usedRow(number: number, text: string): (string | number | Uint8Array)[] {
  const shown = parseKey(text, 'fsk');
  if (!shown) throw new Error('a key of the bench is no key');
  return [number, hashKey(text), shown.keyPrefix, shown.lastFour];
}

const linesOf = (file?: string) => (file === undefined ? [] : readFileSync(file, 'utf8').trim().split('\n'));
const victimsOf = ({ victimsFile }: KeysPlan) => linesOf(victimsFile);
const callersOf = ({ callerFile }: KeysPlan) => linesOf(callerFile);
