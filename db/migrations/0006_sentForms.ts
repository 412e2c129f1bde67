import { addIndex, createTable, type Step } from './steps.ts';

/** Which forms have made a key already, so that one that is sent again makes none. */
export const sentForms: Step[] = [
  createTable('sent_forms', ({ table, id, time }) => {
    id('user_id').notNullable();
    id('form_id').notNullable().comment('a new one each time a form is shown');
    id('key_id').notNullable().comment('what it made');
    time('created_at').notNullable();
    table.primary(['user_id', 'form_id']);
  }),
  addIndex('sent_forms', ['created_at']),
];
