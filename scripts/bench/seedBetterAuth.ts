import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { idIn, makeNumbers } from './seedRows.ts';
import type { Sql } from './sql.ts';

const KEYS_PER_USER = 100;

/** As many keys as Latchkey has, with the same texts, in the tables that Better Auth made itself. */
export async function seedBetterAuth(sql: Sql, count: number, keysFile: string, now: number): Promise<void> {
  const texts = readFileSync(keysFile, 'utf8').trim().split('\n');
  // The two databases write times differently, and the plugin reads what it has written.
  const time = `'${new Date(now).toISOString().replace('T', ' ').replace('Z', '')}'`;
  await makeNumbers(sql, count);
  await sql.run('create table used (n integer primary key, hashed varchar(64))');
  await sql.insert(
    'used',
    texts.map((text, index) => [
      Math.floor(index * (count / texts.length)),
      createHash('sha256').update(text).digest('base64url'),
    ]),
  );
  const userOf = idIn(sql, 'user', sql.wholePart(`(n.n) / ${KEYS_PER_USER}`));
  await sql.run(`
    insert into ${sql.name('user')} (id, name, email, ${sql.name('emailVerified')}, ${sql.name('createdAt')}, ${sql.name('updatedAt')})
    select ${idIn(sql, 'user', 'n')}, 'Olga', concat('olga-', n, '@example.com'), 1, ${time}, ${time}
    from numbers where n < ${Math.max(1, count / KEYS_PER_USER)}`);
  const columns = {
    id: idIn(sql, 'key', 'n.n'),
    configId: `'default'`,
    name: `concat('key ', n.n)`,
    start: `'fsk_li'`,
    referenceId: userOf,
    key: `coalesce(u.hashed, substr(lower(hex(${sql.anyHash('n.n')})), 1, 43))`,
    enabled: '1',
    rateLimitEnabled: '1',
    rateLimitTimeWindow: '86400000',
    rateLimitMax: '10',
    requestCount: '0',
    createdAt: time,
    updatedAt: time,
    permissions: `'{"projects":["read","write"],"orders":["read"]}'`,
  };
  await sql.fill(
    'apikey',
    `insert into apikey (${Object.keys(columns)
      .map((column) => sql.name(column))
      .join(', ')})
     select ${Object.values(columns).join(', ')} from numbers n left join used u on u.n = n.n where n.n < ${count} order by n.n`,
  );
}
