import { addIndex, createTable, type Step } from './steps.ts';

/** What tenants keep behind their keys: records, drafts of the builder, and support tickets. */
export const records: Step[] = [
  createTable('records', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    ascii('resource', 24).notNullable();
    table.string('name', 100).notNullable().comment('from the data, to be searched');
    ascii('status', 24).comment('from the data, to be filtered by');
    ascii('reference', 254).comment('from the data: the other field that its resource is filtered by');
    table.text('data', 'mediumtext').notNullable().comment('JSON of the fields of its resource');
    id('created_by');
    time('created_at').notNullable();
    time('updated_at').notNullable();
  }),
  addIndex('records', ['tenant_id', 'resource', 'created_at', 'id']),
  addIndex('records', ['tenant_id', 'resource', 'status', 'created_at', 'id']),
  addIndex('records', ['tenant_id', 'resource', 'reference', 'created_at', 'id']),

  createTable('builder_drafts', ({ id, ascii, table, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    ascii('name', 100).notNullable();
    table.integer('version').notNullable().comment('the newest one');
    id('created_by');
    time('created_at').notNullable();
    time('updated_at').notNullable();
  }),
  addIndex('builder_drafts', ['tenant_id', 'name'], { unique: true }),
  addIndex('builder_drafts', ['tenant_id', 'created_at', 'id']),

  createTable('builder_draft_versions', ({ table, id, time }) => {
    id('draft_id').notNullable();
    table.integer('version').notNullable();
    id('tenant_id').notNullable();
    table.text('content', 'mediumtext').notNullable().comment('JSON');
    id('created_by');
    time('created_at').notNullable();
    table.primary(['draft_id', 'version']);
  }),

  createTable('support_tickets', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    table.string('subject', 100).notNullable();
    ascii('priority', 16).notNullable();
    ascii('status', 16).notNullable();
    table.integer('messages').notNullable().comment('how many it holds');
    id('created_by');
    time('created_at').notNullable();
    time('updated_at').notNullable();
    time('closed_at');
  }),
  addIndex('support_tickets', ['tenant_id', 'created_at', 'id']),
  addIndex('support_tickets', ['tenant_id', 'status', 'created_at', 'id']),

  createTable('support_messages', ({ table, id, ascii, time }) => {
    id('ticket_id').notNullable();
    table.integer('number').notNullable().comment('1 is what the ticket was opened with');
    id('tenant_id').notNullable();
    table.text('text', 'mediumtext').notNullable();
    ascii('author_type', 12).notNullable();
    id('author_id');
    table.string('author_name', 100).comment('as it was then');
    time('created_at').notNullable();
    table.primary(['ticket_id', 'number']);
  }),
];
