import { addIndex, createTable, type Step } from './steps.ts';

/** Keys, what they may open, how often they were used, and what their quotas have left. */
export const keys: Step[] = [
  createTable('api_keys', ({ table, id, ascii, time, hash }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    id('user_id').comment('the owner; null for a service token of the tenant');
    hash('key_hash').notNullable();
    ascii('key_prefix', 48).notNullable();
    ascii('last_four', 4).notNullable();
    table.string('name', 100).notNullable();
    table.string('description', 500);
    ascii('environment', 4).notNullable();
    table.text('scopes').notNullable().comment('JSON list');
    table.text('allowed_ips').comment('JSON list of networks; null means anywhere');
    table.integer('rate_limit');
    table.integer('rate_window_seconds');
    table.bigInteger('monthly_quota');
    table.string('external_id', 255);
    table.text('metadata').notNullable().comment('JSON object');
    ascii('app', 32).comment('the marketplace app it was issued to');
    time('expires_at');
    time('grace_ends_at').comment('set by rotation: the end of the overlap');
    id('previous_key_id');
    id('successor_key_id');
    id('created_by');
    time('created_at').notNullable();
    time('updated_at').notNullable();
    time('last_used_at');
    ascii('last_used_ip', 45);
    time('leak_reported_at');
    time('revoked_at');
    id('revoked_by');
    table.string('revoke_reason', 255);
  }),
  addIndex('api_keys', ['key_hash'], { unique: true }),
  addIndex('api_keys', ['previous_key_id'], { unique: true }),
  addIndex('api_keys', ['tenant_id', 'created_at', 'id']),
  addIndex('api_keys', ['tenant_id', 'revoked_at', 'created_at', 'id']),
  addIndex('api_keys', ['tenant_id', 'name', 'id']),
  addIndex('api_keys', ['tenant_id', 'last_used_at', 'id']),
  addIndex('api_keys', ['tenant_id', 'expires_at', 'id']),
  addIndex('api_keys', ['tenant_id', 'key_prefix']),
  addIndex('api_keys', ['tenant_id', 'external_id']),
  addIndex('api_keys', ['user_id']),

  createTable('api_key_scopes', ({ table, id, ascii, time }) => {
    id('tenant_id').notNullable();
    ascii('scope', 100).notNullable();
    time('key_created_at').notNullable();
    id('key_id').notNullable();
    table.primary(['tenant_id', 'scope', 'key_created_at', 'key_id']);
  }),
  addIndex('api_key_scopes', ['key_id']),

  createTable('api_key_usage', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    id('key_id').notNullable();
    ascii('method', 10).notNullable();
    table.string('endpoint', 200).notNullable().comment('the route, not the address: no ids, no secrets');
    table.integer('status_code').notNullable();
    ascii('scope', 100).comment('what the route asked for');
    ascii('ip', 45);
    table.string('user_agent', 255);
    table.float('response_ms').notNullable();
    time('created_at').notNullable();
  }),
  addIndex('api_key_usage', ['key_id', 'created_at', 'id']),
  addIndex('api_key_usage', ['tenant_id', 'created_at', 'id']),
  addIndex('api_key_usage', ['created_at']),

  createTable('api_key_usage_hours', ({ table, id, ascii, time }) => {
    id('key_id').notNullable();
    time('hour').notNullable();
    ascii('method', 10).notNullable();
    ascii('endpoint', 200).notNullable();
    ascii('scope', 100).notNullable();
    id('tenant_id').notNullable();
    table.integer('ok').notNullable();
    table.integer('denied').notNullable();
    table.double('response_ms').notNullable().comment('sum over both');
    table.primary(['key_id', 'hour', 'method', 'endpoint', 'scope']);
  }),
  addIndex('api_key_usage_hours', ['tenant_id', 'hour']),
  addIndex('api_key_usage_hours', ['hour']),

  createTable('usage_batches', ({ table, id, time }) => {
    id('process_id').notNullable();
    table.bigInteger('sequence').notNullable();
    time('created_at').notNullable();
    table.primary(['process_id', 'sequence']);
  }),
  addIndex('usage_batches', ['created_at']),

  createTable('api_key_quotas', ({ table, id, ascii }) => {
    id('key_id').notNullable();
    ascii('month', 7).notNullable();
    table.bigInteger('used').notNullable();
    table.primary(['key_id', 'month']);
  }),
];
