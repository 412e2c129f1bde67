import { addIndex, createTable, type Step } from './steps.ts';

/** Who did what, to what, from where. */
export const audit: Step[] = [
  createTable('audit_logs', ({ table, id, ascii, time }) => {
    id('id').primary();
    id('tenant_id').comment('null for events above tenants');
    ascii('action', 40).notNullable();
    ascii('entity', 24).notNullable();
    id('entity_id');
    ascii('actor_type', 12).notNullable();
    id('actor_id');
    table.string('actor_name', 100);
    ascii('ip', 45);
    table.string('user_agent', 255);
    ascii('request_id', 128);
    table.text('before').comment('JSON of the fields that changed');
    table.text('after').comment('JSON of the fields that changed');
    ascii('window_key', 120).comment('one row of a kind per window: key, address and minute of a use');
    time('created_at').notNullable();
  }),
  addIndex('audit_logs', ['window_key'], { unique: true }),
  addIndex('audit_logs', ['tenant_id', 'created_at', 'id']),
  addIndex('audit_logs', ['tenant_id', 'action', 'created_at', 'id']),
  addIndex('audit_logs', ['tenant_id', 'entity_id', 'created_at', 'id']),
  addIndex('audit_logs', ['tenant_id', 'actor_id', 'created_at', 'id']),
];
