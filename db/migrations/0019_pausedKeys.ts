import { addColumn, replaceIndex, type Step } from './steps.ts';

/** What decides the status of a key. */
const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id', 'paused_at'];
/** What a search looks at. */
const SEARCHED = ['external_id', 'key_prefix', 'last_four'];

/** The indexes of the list with what decides the status of a key now. */
const INDEXES: Step[] = [
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

/** When, by whom and why a key was paused. */
export const pausedKeys: Step[] = [
  addColumn('api_keys', 'paused_at', ({ time }) => time('paused_at')),
  addColumn('api_keys', 'paused_by', ({ id }) => id('paused_by')),
  addColumn('api_keys', 'pause_reason', ({ table }) => table.string('pause_reason', 255)),
  // The same indexes were replaced before, under names that are recorded as taken.
  ...INDEXES.map((step) => ({ ...step, name: `${step.name}, with paused_at` })),
];
