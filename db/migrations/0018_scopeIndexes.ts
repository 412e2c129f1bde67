import { addComputedColumn, dropIndex, replaceIndex, type Step } from './steps.ts';

const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id'];
const SEARCHED = ['external_id', 'key_prefix', 'last_four'];
/** A key of MySQL's indexes may have 3,072 bytes, of which the other columns can take about 2,200. */
const START = 640;

const BY_CREATION = ['created_at', 'id', ...LIFE, 'environment', 'expires_at', 'name', ...SEARCHED];
const BY_EXPIRY = ['expires_at', 'id', ...LIFE, 'environment', 'created_at', 'name', ...SEARCHED];
const BY_LAST_USE = ['last_used_at', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', 'name', ...SEARCHED];
const BY_NAME = ['name', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', ...SEARCHED];

/**
 * The indexes of 0016 with the scopes of a key behind their columns, so that a list is filtered by a scope without reading
 * anything else. The names stay, because a process of the release before asks for them. Two older indexes go, whose
 * columns are the first of these.
 */
export const scopeIndexes: Step[] = [
  addComputedColumn('api_keys', 'scopes_start', START, `left(scopes, ${START})`),
  ...onBoth('api_keys_tenant_id_created_at_id_revoked_at_grace_ends_at_su', BY_CREATION),
  ...onBoth('api_keys_tenant_id_expires_at_id_revoked_at_grace_ends_at_su', BY_EXPIRY),
  ...onBoth('api_keys_tenant_id_last_used_at_id', BY_LAST_USE),
  onMysql('api_keys_tenant_id_name_id', BY_NAME),
  onSqlite('api_keys_by_name', BY_NAME, { withoutCase: 'name' }),
  dropIndex('api_keys', ['tenant_id', 'created_at', 'id']),
  dropIndex('api_keys', ['tenant_id', 'expires_at', 'id']),
];

function onBoth(name: string, columns: string[]): Step[] {
  return [onMysql(name, columns), onSqlite(name, columns)];
}

function onMysql(name: string, columns: string[]): Step {
  return withColumn('scopes_start', name, { columns: ['tenant_id', ...columns], on: 'mysql' });
}

/** SQLite takes a text of any length into an index. */
function onSqlite(name: string, columns: string[], options: { withoutCase?: string } = {}): Step {
  return withColumn('scopes', name, { columns: ['tenant_id', ...columns], on: 'sqlite', ...options });
}

/** A step has a name of its own beside the one in 0016 that made the index. */
function withColumn(column: string, name: string, options: Parameters<typeof replaceIndex>[2]): Step {
  const step = replaceIndex('api_keys', name, { ...options, columns: [...options.columns, column] });
  return { ...step, name: `add ${column} to index ${name}` };
}
