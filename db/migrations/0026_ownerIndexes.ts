import { isSqlite } from '../connection/connect.ts';
import { replaceIndex, type Step } from './steps.ts';

const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id', 'paused_at'];
const SEARCHED = ['external_id', 'key_prefix', 'last_four'];

const BY_CREATION = ['created_at', 'id', ...LIFE, 'environment', 'expires_at', 'name', ...SEARCHED];
const BY_LAST_USE = ['last_used_at', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', 'name', ...SEARCHED];
const BY_NAME = ['name', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', ...SEARCHED];
const BY_END = ['id', ...LIFE, 'environment', 'expires_at', 'created_at', 'name', ...SEARCHED];
const NAME_OF_BY_END = 'api_keys_tenant_id_expires_at_id_revoked_at_grace_ends_at_su';
const ENDS_AT = 'coalesce(grace_ends_at, expires_at)';

/**
 * The indexes of 0024 and 0025 with the owner of a key, so that a list is filtered by owner without reading anything else. The
 * names stay, because a process of the release before asks for them.
 */
export const ownerIndexes: Step[] = [
  ...onBoth('api_keys_tenant_id_created_at_id_revoked_at_grace_ends_at_su', BY_CREATION),
  ...onBoth('api_keys_tenant_id_last_used_at_id', BY_LAST_USE),
  onMysql('api_keys_tenant_id_name_id', BY_NAME),
  onSqlite('api_keys_by_name', BY_NAME, { withoutCase: 'name' }),
  onMysql(NAME_OF_BY_END, ['ends_at', ...BY_END]),
  byEndOnSqlite(),
];

function onBoth(name: string, columns: string[]): Step[] {
  return [onMysql(name, columns), onSqlite(name, columns)];
}

function onMysql(name: string, columns: string[]): Step {
  return withOwner(name, { columns: ['tenant_id', ...columns, 'scopes_start', 'user_id'], on: 'mysql' });
}

function onSqlite(name: string, columns: string[], options: { withoutCase?: string } = {}): Step {
  return withOwner(name, { columns: ['tenant_id', ...columns, 'scopes', 'user_id'], on: 'sqlite', ...options });
}

/** A step has a name of its own beside those in older files that made the index. */
function withOwner(name: string, options: Parameters<typeof replaceIndex>[2]): Step {
  return { ...replaceIndex('api_keys', name, options), name: `add user_id to index ${name} on ${options.on}` };
}

/** That index begins with an expression, which `replaceIndex` knows nothing of. */
function byEndOnSqlite(): Step {
  const columns = [...BY_END, 'scopes', 'user_id'];
  return {
    name: `add user_id to index ${NAME_OF_BY_END} on sqlite`,
    async up(db) {
      if (!isSqlite(db)) return;
      const present = await db('sqlite_master')
        .where({ type: 'index', name: NAME_OF_BY_END })
        .first<{ sql: string } | undefined>('sql');
      if (present?.sql.includes('user_id')) return;
      await db.raw('drop index if exists ??', [NAME_OF_BY_END]);
      const list = columns.map(() => '??').join(', ');
      await db.raw(`create index ?? on api_keys (tenant_id, ${ENDS_AT}, ${list})`, [NAME_OF_BY_END, ...columns]);
    },
  };
}
