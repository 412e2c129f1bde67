import { prune } from '../../db/upkeep/prune.ts';
import type { Command } from './command.ts';

export const pruneCommand: Command = {
  name: 'prune',
  about: 'Delete uses, counts and sessions that are older than is kept',
  options: {},
  async run({ services }) {
    const pruned = await prune(services.db, services.config.database, Date.now());
    if (!pruned) return { lines: ['Another process is pruning this database.'], json: { pruned: null } };
    const lines = Object.entries(pruned).map(([table, rows]) => `${table}: ${rows} rows`);
    return { lines, json: { pruned } };
  },
};
