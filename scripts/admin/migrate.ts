import { migrate } from '../../db/migrate.ts';
import type { Command } from './command.ts';

export const migrateCommand: Command = {
  name: 'migrate',
  about: 'Bring the database schema up to date',
  options: {},
  beforeMigration: true,
  async run({ services }) {
    const steps = await migrate(services.config.database);
    return {
      lines: steps.length === 0 ? ['The schema is up to date.'] : [...steps, `Took ${steps.length} steps.`],
      json: { steps },
    };
  },
};
