import { createTable, type Step } from './steps.ts';

/** Sums of uses that were claimed and are not added to their hours yet; SQLite adds them in small transactions. */
export const usageSums: Step[] = [
  createTable('usage_sums', ({ table, id }) => {
    id('id').primary();
    table.text('hours', 'mediumtext').notNullable().comment('JSON list of hours of keys');
  }),
];
