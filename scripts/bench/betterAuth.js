// Better Auth's api-key plugin in the same kind of Koa server: plain JavaScript, since its packages are installed only
// when the bench runs. Chosen for speed, by its own documentation and by trying each:
// - `storage: 'database'`: the same databases as the others. `secondary-storage` over a table of the same database was
//   half as fast again, and over Redis about three times as fast, but both read a key, merge and write it back after the
//   answer, unguarded, which can undo a revoke that came between; a `Map` would not see what other processes revoke.
// - `rateLimit: { enabled: false }`: by default ten requests a day, and a transaction for each of them.
// - `deferUpdates` off: with keys in the database it defers nothing (better-auth issue 10921), and every ten seconds
//   it deletes expired keys by a scan of the whole table: a third of the throughput is left with a million of them.
import Router from '@koa/router';
import { apiKey } from '@better-auth/api-key';
import { DatabaseSync } from '@photostructure/sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Koa from 'koa';
import { SqliteDialect } from 'kysely';
import { createPool } from 'mysql2/promise';

const { PORT, ANSWER, DATABASE_URL, SQLITE_FILE } = process.env;

const options = {
  database: DATABASE_URL ? createPool({ uri: DATABASE_URL, timezone: 'Z', connectionLimit: 10 }) : sqlite(SQLITE_FILE),
  baseURL: 'http://127.0.0.1',
  secret: 'a secret of the bench, long enough for it',
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ storage: 'database', rateLimit: { enabled: false }, deferUpdates: false })],
};
const auth = betterAuth(options);

if (PORT) listen(Number(PORT), JSON.parse(ANSWER));
else await migrate();

function listen(port, answer) {
  const router = new Router().get('/api/v1/whoami', async (ctx) => {
    const { valid } = await auth.api.verifyApiKey({ body: { key: ctx.get('x-api-key') } });
    if (valid) ctx.body = answer;
    else ctx.status = 401;
  });
  new Koa().use(router.routes()).listen(port, '127.0.0.1');
}

/** Without a port it makes its schema, by its own tool, and ends. */
async function migrate() {
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  process.exit();
}

/** Kysely's SQLite dialect over the driver that Latchkey uses, with the same settings and statements prepared once. */
function sqlite(file) {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA busy_timeout = 50; PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  const prepared = new Map();
  const prepare = (sql) => {
    let statement = prepared.get(sql);
    if (!statement) {
      const made = db.prepare(sql);
      statement = {
        reader: made.columns().length > 0,
        all: (values) => made.all(...values),
        run: (values) => made.run(...values),
        iterate: (values) => made.iterate(...values),
      };
      prepared.set(sql, statement);
    }
    return statement;
  };
  return { dialect: new SqliteDialect({ database: { prepare, close: () => db.close() } }), type: 'sqlite' };
}
