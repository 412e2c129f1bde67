import { seedBetterAuth } from './seedBetterAuth.ts';
import { seedAudit, seedScopes, seedUsage, type History } from './seedHistory.ts';
import { seedScopeUses, seedShown, settle } from './seedLists.ts';
import { makeNumbers, seedKeys, type KeysPlan } from './seedRows.ts';
import { openSql, type Place, type Sql } from './sql.ts';

/** What one run of this program fills, in this order; programs for different databases run side by side. */
export type Order =
  | ({ what: 'latchkey'; env: Record<string, string>; place: Place; history?: number } & KeysPlan)
  | { what: 'better-auth'; place: Place; count: number; keysFile: string };

const now = Date.now();
for (const order of JSON.parse(String(process.env['ORDERS'])) as Order[]) await carryOut(order);
process.exit();

async function carryOut(order: Order): Promise<void> {
  const sql = openSql(order.place);
  if (order.what === 'latchkey') await fillLatchkey(sql, order);
  else await seedBetterAuth(sql, order.count, order.keysFile, now);
  await sql.close();
}

async function fillLatchkey(sql: Sql, order: Order & { what: 'latchkey' }): Promise<void> {
  const { count, place, env, history: rows = 0 } = order;
  // Some more than there are keys, for those that are made to be revoked.
  await makeNumbers(sql, Math.max(count + 1_000, rows));
  await seedKeys(sql, order, now);
  if (rows === 0) return;
  await seedScopes(sql);
  const history = { keys: count / 2, rows, now };
  // A server fills two tables at once; a file has one writer.
  const second = 'url' in place ? openSql(place) : sql;
  await Promise.all([seedAudit(sql, history), seedLists(second, history)]);
  if (second !== sql) await second.close();
  await settle(env, now);
}

async function seedLists(sql: Sql, history: History): Promise<void> {
  await seedUsage(sql, history);
  await seedShown(sql, history);
  await seedScopeUses(sql);
}
