import { replaceIndex, type Step } from './steps.ts';

/** What decides the status of a key. */
const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id'];
/** What a search looks at. */
const SEARCHED = ['external_id', 'key_prefix', 'last_four'];

/**
 * One index for each order of the list of keys, with every column that the list is filtered and searched by, and
 * `created_at`, by which the scopes of a key are looked up: a page is found without reading the rows before it. The names
 * stay, because a process of the release before asks for them. `api_key_parts`, `api_key_part_marks` and `api_key_counts`
 * are no longer used; they stay until the next release, since that process still reads and fills them while this one
 * starts, and would again after a rollback.
 */
export const keyIndexes: Step[] = [
  replaceIndex('api_keys', 'api_keys_tenant_id_created_at_id_revoked_at_grace_ends_at_su', {
    columns: ['tenant_id', 'created_at', 'id', ...LIFE, 'environment', 'expires_at', 'name', ...SEARCHED],
  }),
  replaceIndex('api_keys', 'api_keys_tenant_id_expires_at_id_revoked_at_grace_ends_at_su', {
    columns: ['tenant_id', 'expires_at', 'id', ...LIFE, 'environment', 'created_at', 'name', ...SEARCHED],
  }),
  replaceIndex('api_keys', 'api_keys_tenant_id_last_used_at_id', {
    columns: [
      'tenant_id',
      'last_used_at',
      'id',
      ...LIFE,
      'environment',
      'expires_at',
      'created_at',
      'name',
      ...SEARCHED,
    ],
  }),
  replaceIndex('api_keys', 'api_keys_tenant_id_name_id', {
    columns: ['tenant_id', 'name', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', ...SEARCHED],
    on: 'mysql',
  }),
  replaceIndex('api_keys', 'api_keys_by_name', {
    columns: ['tenant_id', 'name', 'id', ...LIFE, 'environment', 'expires_at', 'created_at', ...SEARCHED],
    withoutCase: 'name',
    on: 'sqlite',
  }),
];
