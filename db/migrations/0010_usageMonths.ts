import { addIndex, createTable, type Step } from './steps.ts';

const DAYS = Array.from({ length: 31 }, (_, index) => `d${index + 1}`);

/**
 * What keys did day by day, a month of it in one row, so that a page of keys reads two rows of each and not thirty.
 * `api_key_usage_days` stays for now: processes of the release before still write to it while they are being replaced,
 * and a later migration drops it. Nothing is copied from it: housekeeping sums the hours up once more, step by step.
 */
export const usageMonths: Step[] = [
  createTable('api_key_usage_months', ({ table, id, time }) => {
    id('key_id').notNullable();
    time('month').notNullable().comment('its first moment');
    id('tenant_id').notNullable();
    // Not integers: a day that no longer fits would fail each use that comes late, and the sums would stand still.
    for (const day of DAYS) table.bigInteger(day).notNullable().defaultTo(0);
    table.primary(['key_id', 'month']);
  }),
  addIndex('api_key_usage_months', ['month']),

  {
    name: 'begin api_key_usage_months',
    async up(db) {
      // There from the first sum on, since a use that comes late during it can only wait for a row that exists.
      const beginning = { name: 'api_key_usage_months', until: 0, key_id: '' };
      await db('catch_ups').insert(beginning).onConflict('name').ignore();
    },
  },
];
