import { addColumn, addIndex, dropTable, type Step } from './steps.ts';

/** When people last changed their password, and what was done to one thing without its uses. */
export const passwords: Step[] = [
  addColumn('users', 'password_changed_at', ({ time }) => {
    time('password_changed_at').comment('tokens made before are refused; null for a first password');
  }),
  addIndex('audit_logs', ['tenant_id', 'entity_id', 'action', 'created_at', 'id']),
  // Nothing has written or read it since the months took its place.
  dropTable('api_key_usage_days'),
  {
    name: 'forget how far api_key_usage_days had come',
    async up(db) {
      await db('catch_ups').where({ name: 'api_key_usage_days' }).delete();
    },
  },
];
