import { addIndex, createTable, type Step } from './steps.ts';

/** Tenants, the people who belong to them, and their browser sessions. */
export const people: Step[] = [
  createTable('tenants', ({ table, id, ascii, time }) => {
    id('id').primary();
    ascii('slug', 63).notNullable();
    table.string('name', 100).notNullable();
    table.string('external_id', 255);
    ascii('status', 16).notNullable().defaultTo('active');
    table.text('policy').comment('JSON of the key policy; null means the default');
    ascii('plan', 32).notNullable().defaultTo('free');
    time('created_at').notNullable();
    time('updated_at').notNullable();
  }),
  addIndex('tenants', ['slug'], { unique: true }),
  addIndex('tenants', ['created_at', 'id']),

  createTable('users', ({ table, id, ascii, time }) => {
    id('id').primary();
    ascii('email', 254).notNullable();
    table.string('name', 100).notNullable();
    ascii('password_hash', 255);
    ascii('status', 16).notNullable().defaultTo('active');
    table.boolean('operator').notNullable().defaultTo(false);
    ascii('locale', 8);
    ascii('theme', 8);
    time('created_at').notNullable();
    time('updated_at').notNullable();
    time('last_login_at');
  }),
  addIndex('users', ['email'], { unique: true }),

  createTable('memberships', ({ table, id, ascii, time }) => {
    id('tenant_id').notNullable();
    id('user_id').notNullable();
    ascii('role', 16).notNullable();
    table.text('permissions').notNullable().comment('JSON list of what the role does not already give');
    time('created_at').notNullable();
    time('updated_at').notNullable();
    table.primary(['tenant_id', 'user_id']);
  }),
  addIndex('memberships', ['user_id', 'tenant_id']),

  createTable('sessions', ({ table, id, ascii, time, hash }) => {
    id('id').primary();
    hash('token_hash').notNullable();
    id('user_id').notNullable();
    id('tenant_id');
    ascii('csrf_token', 64).notNullable();
    ascii('ip', 45);
    table.string('user_agent', 255);
    time('created_at').notNullable();
    time('last_seen_at').notNullable();
    time('expires_at').notNullable();
  }),
  addIndex('sessions', ['token_hash'], { unique: true }),
  addIndex('sessions', ['user_id', 'last_seen_at']),
  addIndex('sessions', ['expires_at']),
];
