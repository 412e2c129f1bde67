import { addIndex, createTable, type Step } from './steps.ts';

/**
 * What was answered to requests and forms that make something, so that one that is sent again makes nothing. It takes the
 * place of `sent_forms`, which stays for processes of the release before.
 */
export const idempotentRequests: Step[] = [
  createTable('idempotent_requests', ({ table, hash, time }) => {
    hash('id').notNullable().comment('SHA-256 of who asked, and of the name that they gave the request');
    hash('content_hash').notNullable().comment('SHA-256 of what was asked');
    table.text('answer', 'mediumtext').comment('JSON without secrets; written by the transaction that made the row');
    time('created_at').notNullable();
    table.primary(['id']);
  }),
  addIndex('idempotent_requests', ['created_at']),
];
