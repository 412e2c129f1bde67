import { isSqlite } from '../connection/connect.ts';
import { addIndex, createTable, type Step } from './steps.ts';

const LIFE = ['revoked_at', 'grace_ends_at', 'successor_key_id', 'environment'];

/** What keeps the lists of a tenant with very many keys as quick as those of a small one. */
export const reads: Step[] = [
  createTable('catch_ups', ({ id, ascii, time }) => {
    ascii('name', 32).primary();
    time('until').notNullable().comment('what happened before is summed up');
    id('key_id').notNullable().comment('and of that very moment the keys up to this one');
  }),

  createTable('api_key_counts', ({ table, id, ascii }) => {
    id('tenant_id').notNullable();
    ascii('environment', 4).notNullable();
    table.integer('created').notNullable();
    table.integer('ended').notNullable().comment('revoked, or replaced and out of grace');
    table.primary(['tenant_id', 'environment']);
  }),

  createTable('api_key_parts', ({ table, id, text }) => {
    id('tenant_id').notNullable();
    text('part', 8).notNullable().comment('the characters from one place of a name or external id on');
    id('key_id').notNullable();
    table.integer('place').notNullable();
    table.primary(['tenant_id', 'part', 'key_id', 'place']);
  }),
  createTable('api_key_part_marks', ({ id, time }) => {
    id('tenant_id').primary();
    time('until').notNullable().comment('keys changed up to here have their parts');
    id('key_id').notNullable().comment('the last of those changed at that moment');
  }),

  createTable('api_key_usage_days', ({ table, id, time }) => {
    id('key_id').notNullable();
    time('day').notNullable().comment('its first moment');
    id('tenant_id').notNullable();
    table.bigInteger('requests').notNullable();
    table.primary(['key_id', 'day']);
  }),
  addIndex('api_key_usage_days', ['day']),

  // They answer how many there are, and which are on a page, without a look at the rows.
  addIndex('api_keys', ['tenant_id', 'created_at', 'id', ...LIFE, 'expires_at']),
  addIndex('api_keys', ['tenant_id', 'expires_at', 'id', ...LIFE]),

  addIndex('api_keys', ['tenant_id', 'updated_at', 'id']),
  addIndex('api_keys', ['grace_ends_at', 'tenant_id']),
  addIndex('api_keys', ['revoked_at', 'tenant_id']),

  {
    name: 'index api_keys by name without regard to case',
    async up(db) {
      // MySQL's own index on names compares them so.
      if (!isSqlite(db)) return;
      await db.raw('create index if not exists api_keys_by_name on api_keys (tenant_id, name collate nocase, id)');
    },
  },
];
