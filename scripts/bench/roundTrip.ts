import { createConnection } from 'mysql2/promise';
import { openSqlite } from '../../db/connection/sqlite.ts';

// What the cheapest question to a database takes, from the core of the servers under test.
const QUESTION = 'select 1';
const ask = await asker();

process.on('message', (order: { seconds: number }) => {
  void measure(order.seconds).then((p50Ms) => process.send?.({ p50Ms }));
});
process.on('disconnect', () => process.exit());

async function asker(): Promise<() => Promise<unknown>> {
  const url = process.env['DATABASE_URL'];
  if (url !== undefined) {
    const connection = await createConnection(url);
    return async () => connection.query(QUESTION);
  }
  const connection = openSqlite(String(process.env['SQLITE_FILE']));
  const statement = connection.prepare(QUESTION);
  return async () => {
    // Naming the connection keeps it: collected as garbage, it would close under its statement.
    if (connection.isOpen) statement.all();
  };
}

async function measure(seconds: number): Promise<number> {
  const took: number[] = [];
  for (const until = performance.now() + seconds * 1000; performance.now() < until;) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b)[took.length >> 1] ?? NaN;
}
