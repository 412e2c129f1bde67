import { migrate } from '../../db/migrate.ts';
import { readConfig } from '../../app/config.ts';
import { seedBetterAuth } from './seedBetterAuth.ts';
import { seedHistory } from './seedHistory.ts';
import { makeNumbers, seedKeys, type KeysPlan } from './seedRows.ts';
import { openSql, type Place } from './sql.ts';

/** What one run of this program fills, in this order; programs for different databases run side by side. */
export type Order =
  | ({ what: 'latchkey'; env: Record<string, string>; place: Place; history?: number } & KeysPlan)
  | { what: 'better-auth'; place: Place; count: number; keysFile: string };

const now = Date.now();
for (const order of JSON.parse(String(process.env['ORDERS'])) as Order[]) await carryOut(order);
process.exit();

async function carryOut(order: Order): Promise<void> {
  if (order.what === 'latchkey') await migrate(readConfig(order.env).database);
  const sql = openSql(order.place);
  if (order.what === 'latchkey') {
    const history = order.history ?? 0;
    // Some more than there are keys, for those that are made to be revoked.
    await makeNumbers(sql, Math.max(order.count + 1_000, history));
    await seedKeys(sql, order, now);
    if (history > 0) await seedHistory(sql, order.count, history, now);
  } else {
    await seedBetterAuth(sql, order.count, order.keysFile, now);
  }
  await sql.close();
}
