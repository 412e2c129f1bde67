import { addIndex, createTable, type Step } from './steps.ts';

/** Where the text of a key was found, and the index by which a tenant's leaked keys are found. */
export const leakReports: Step[] = [
  createTable('api_key_leak_reports', ({ table, id, ascii, time, hash }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    id('key_id').notNullable();
    ascii('source', 16).notNullable().comment('report or github');
    table.string('url', 500);
    ascii('found_in', 40).comment('what kind of place GitHub says it is');
    hash('delivery').nullable().comment('the hash of the signed body that told of it');
    time('created_at').notNullable();
  }),
  addIndex('api_key_leak_reports', ['key_id', 'created_at']),
  addIndex('api_keys', ['tenant_id', 'leak_reported_at', 'id']),
];
