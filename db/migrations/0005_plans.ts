import { addIndex, createTable, type Step } from './steps.ts';

/** What tenants order, the apps they have installed, and the way of support staff through all keys. */
export const plans: Step[] = [
  createTable('checkouts', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    ascii('plan', 32).notNullable();
    ascii('reference', 100).comment('the caller’s own name for it; one checkout each');
    ascii('status', 16).notNullable();
    ascii('provider', 32).notNullable();
    table.string('payment_url', 500);
    id('created_by');
    time('created_at').notNullable();
    time('updated_at').notNullable();
    id('confirmed_by');
    time('confirmed_at');
  }),
  addIndex('checkouts', ['tenant_id', 'reference'], { unique: true }),
  addIndex('checkouts', ['tenant_id', 'status', 'created_at']),

  createTable('app_installs', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    ascii('app', 32).notNullable();
    id('key_id').notNullable().comment('the token it was given; a rotation gives it a successor');
    table.integer('active').comment('1, or null once removed: an index takes any number of nulls');
    id('installed_by');
    time('installed_at').notNullable();
    time('removed_at');
  }),
  addIndex('app_installs', ['tenant_id', 'app', 'active'], { unique: true }),

  addIndex('api_keys', ['created_at', 'id']),
  addIndex('api_keys', ['tenant_id', 'app']),
];
