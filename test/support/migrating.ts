import { readConfig } from '../../app/config.ts';
import { migrate } from '../../db/migrate.ts';
import { STEPS } from '../../db/migrations/index.ts';
import type { Step } from '../../db/migrations/steps.ts';

// A program that migrates as production does and says what it did; KILL_AFTER names the step after whose statement, and
// before whose record, it dies as by `kill -9`.
const { KILL_AFTER, ...env } = process.env;

const steps = STEPS.map((step): Step => ({
  name: step.name,
  async up(db) {
    await step.up(db);
    if (step.name === KILL_AFTER) process.kill(process.pid, 'SIGKILL');
  },
}));
process.stdout.write(JSON.stringify(await migrate(readConfig(env).database, { steps })));
