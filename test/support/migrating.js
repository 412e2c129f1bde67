import { readConfig } from '../../dist/app/config.js';
import { migrate } from '../../dist/db/migrate.js';
import { STEPS } from '../../dist/db/migrations/index.js';

// A program that migrates as production does, by the built code, which starts in half the time of the sources, and says what
// it did; KILL_AFTER names the step after whose statement, and before whose record, it dies as by `kill -9`.
const { KILL_AFTER, ...env } = process.env;

const steps = STEPS.map((step) => ({
  name: step.name,
  async up(db) {
    await step.up(db);
    if (step.name === KILL_AFTER) process.kill(process.pid, 'SIGKILL');
  },
}));
process.stdout.write(JSON.stringify(await migrate(readConfig(env).database, { steps })));
