import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import type Mocha from 'mocha';

export interface Failure extends Error {
  showDiff?: boolean;
  actual?: unknown;
  expected?: unknown;
}

export const NOT_RUN = 'Not run: an earlier failure ended its suite or the run.';

const ParallelBuffered = createRequire(import.meta.url)(
  'mocha/lib/nodejs/reporters/parallel-buffered.cjs',
) as typeof Mocha.reporters.Base;

/** Mocha's messenger from a parallel worker to the reporter, sending every failure whole. */
export default class WorkerReporter extends ParallelBuffered {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions = {}) {
    super(runner, options);
    completeFailures(runner, options);
  }
}

/** Makes failures say all they know in plain values, and fails the tests that mocha would leave out without a word. */
export function completeFailures(runner: Mocha.Runner, options: Mocha.MochaOptions): void {
  runner.on('fail', (_test, failure: Failure) => {
    flatten(failure);
  });
  runner.on('suite end', (suite) => {
    if (suite.root && !options.bail) failForgotten(runner, suite, options);
  });
}

/** Only JSON reaches the main process: a BigInt would cost the whole file its results, and `cause` would be lost. */
function flatten(failure: Failure): void {
  if (failure.cause !== undefined) failure.stack = `${failure.stack ?? ''}\nCaused by: ${inspect(failure.cause)}`;
  for (const [key, value] of Object.entries(failure) as [string, unknown][]) {
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) {
      Reflect.set(failure, key, inspect(value));
    }
  }
}

/** A failed afterEach hook, or an error after a test's end, stops the tests that were still to come. */
function failForgotten(runner: Mocha.Runner, root: Mocha.Suite, { grep, invert }: Mocha.MochaOptions): void {
  const isSelected = (test: Mocha.Test) => !grep || new RegExp(grep).test(test.fullTitle()) !== Boolean(invert);
  root.eachTest((test) => {
    if (test.state !== undefined || !isSelected(test)) return;
    runner.failures += 1;
    test.state = 'failed';
    runner.emit('fail', test, new Error(NOT_RUN));
  });
}
