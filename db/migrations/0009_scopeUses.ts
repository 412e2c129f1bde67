import { isSqlite, type Db } from '../connection/connect.ts';
import { addIndex, createTable, type Step } from './steps.ts';

const DAY_MS = 86_400_000;
/** A busy key has ten thousand hours and more, so that even few keys are worth a statement. */
const KEYS_AT_ONCE = 20;

/** When a key last used which scope, so that to find the scopes nobody uses takes no look at every hour of a key. */
export const scopeUses: Step[] = [
  createTable('api_key_scope_uses', ({ table, id, ascii, time }) => {
    id('key_id').notNullable();
    ascii('scope', 100).notNullable();
    time('day').notNullable().comment('the first moment of the last day on which a request asked for it');
    id('tenant_id').notNullable();
    table.primary(['key_id', 'scope']);
  }),
  addIndex('api_key_scope_uses', ['day']),

  {
    name: 'fill api_key_scope_uses',
    async up(db) {
      // Ends the transaction of the migration, as MySQL does by itself at each step that changes the schema: from here
      // on a statement is one. SQLite takes all steps in one transaction.
      if (!isSqlite(db)) await db.raw('commit');
      for (let done = ''; ;) {
        const last = (await keysBehind(db, done)).at(-1);
        if (last === undefined) return;
        await fill(db, done, last);
        done = last;
      }
    },
  },
];

async function keysBehind(db: Db, id: string): Promise<string[]> {
  return db<{ key_id: string }>('api_key_usage_hours')
    .where('key_id', '>', id)
    .distinct('key_id')
    .orderBy('key_id')
    .limit(KEYS_AT_ONCE)
    .pluck('key_id');
}

/** Notes what the hours of these keys say; what is noted already, by a server that runs or the last attempt, may be later. */
async function fill(db: Db, behind: string, last: string): Promise<void> {
  const hours = `select key_id, scope, max(hour - hour % ${DAY_MS}) as day, max(tenant_id) as tenant_id
    from api_key_usage_hours where key_id > ? and key_id <= ? and scope <> '' group by key_id, scope`;
  const insert = `insert into api_key_scope_uses (key_id, scope, day, tenant_id)
    select key_id, scope, day, tenant_id from (${hours}) as j`;
  const upsert = isSqlite(db)
    ? `${insert} where true on conflict (key_id, scope) do update set day = max(api_key_scope_uses.day, excluded.day)`
    : `${insert} on duplicate key update day = greatest(api_key_scope_uses.day, j.day)`;
  await db.raw(upsert, [behind, last]);
}
