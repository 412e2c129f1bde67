import { createTable, type Step } from './steps.ts';

/** What operators decide for the whole installation; a row each, so that whoever replaces a setting can lock it. */
export const installationSettings: Step[] = [
  createTable('installation_settings', ({ table, ascii, id, time }) => {
    ascii('name', 40).primary();
    id('revision').notNullable().comment('a new id with every change, never given twice');
    table.text('value', 'mediumtext').comment('JSON; null until it is set for the first time');
    time('updated_at').notNullable();
  }),
  {
    name: 'add a row for each installation setting',
    async up(db) {
      for (const name of ['scopes', 'forward_auth_rules']) {
        await db('installation_settings')
          .insert({ name, revision: 'never-set', value: null, updated_at: 0 })
          .onConflict('name')
          .ignore();
      }
    },
  },
];
