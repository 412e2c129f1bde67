import { addColumn, type Step } from './steps.ts';

/** Keys that were issued elsewhere and came by their hash, so that their texts have a form of their own. */
export const importedKeys: Step[] = [
  addColumn('api_keys', 'imported_at', ({ time }) => {
    time('imported_at').comment('null for a key that was issued here');
  }),
  {
    name: 'add a row for the setting foreign_keys',
    async up(db) {
      await db('installation_settings')
        .insert({ name: 'foreign_keys', revision: 'never-set', value: null, updated_at: 0 })
        .onConflict('name')
        .ignore();
    },
  },
];
