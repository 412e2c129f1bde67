import { isSqlite } from '../connection/connect.ts';
import { addComputedTime, replaceIndex, type Step } from './steps.ts';

const NAME = 'api_keys_tenant_id_expires_at_id_revoked_at_grace_ends_at_su';
const ENDS_AT = 'coalesce(grace_ends_at, expires_at)';
const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id', 'paused_at'];
const SEARCHED = ['external_id', 'key_prefix', 'last_four'];
const OTHERS = ['id', ...LIFE, 'environment', 'expires_at', 'created_at', 'name', ...SEARCHED];

/**
 * When a key ends: with the grace period of its rotation, or else by its expiry. The list of keys is sorted by it, along the
 * index by expiry, whose name stays because a process of the release before asks for it.
 */
export const keyEnds: Step[] = [addComputedTime('api_keys', 'ends_at', ENDS_AT), onMysql(), onSqlite()];

function onMysql(): Step {
  const columns = ['tenant_id', 'ends_at', ...OTHERS, 'scopes_start'];
  return { ...replaceIndex('api_keys', NAME, { columns, on: 'mysql' }), name: `begin index ${NAME} with ends_at` };
}

/** SQLite reads the rows of a table for a computed column, even one that the index has, but not for an expression of the index. */
function onSqlite(): Step {
  return {
    name: `begin index ${NAME} with ${ENDS_AT}`,
    async up(db) {
      if (!isSqlite(db)) return;
      const present = await db('sqlite_master')
        .where({ type: 'index', name: NAME })
        .first<{ sql: string } | undefined>('sql');
      if (present?.sql.includes(ENDS_AT)) return;
      const columns = [...OTHERS, 'scopes'];
      await db.raw('drop index if exists ??', [NAME]);
      const list = columns.map(() => '??').join(', ');
      await db.raw(`create index ?? on api_keys (tenant_id, ${ENDS_AT}, ${list})`, [NAME, ...columns]);
    },
  };
}
