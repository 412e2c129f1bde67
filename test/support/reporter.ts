import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import { NOT_RUN, completeFailures, type Failure } from './workerReporter.ts';

const { Base } = Mocha.reporters;
const { color, symbols } = Base;
const HOOK_FAILED = 'Test skipped due to failure in hook';

interface ParallelRunner extends Mocha.Runner {
  isParallelMode(): boolean;
  workerReporter(path: string): this;
}

interface FailedTest {
  readonly test: Mocha.Test;
  readonly failure: Failure;
}

/** Prints each suite and test in a line, each failure in full, and `N passed, N failed` as the last line of the run. */
export default class Reporter extends Base {
  readonly #started = Date.now();
  readonly #failed: FailedTest[] = [];
  #passed = 0;
  #depth = 0;
  #isClosed = false;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions = {}) {
    super(runner, options);
    const parallel = runner as ParallelRunner;
    if (parallel.isParallelMode()) {
      parallel.workerReporter(fileURLToPath(new URL('workerReporter.ts', import.meta.url)));
    } else {
      completeFailures(runner, options);
    }
    runner.on('suite', (suite) => this.#open(suite));
    runner.on('suite end', () => (this.#depth -= 1));
    runner.on('pass', (test) => this.#pass(test));
    runner.on('fail', (test, failure: Failure) => this.#fail(test, failure));
    runner.on('pending', (test) => this.#fail(test, plain('Pending: nothing is skipped in silence.')));
    // Code under test may end the process under mocha's feet.
    process.once('exit', () => this.#closeUnfinished());
  }

  /** Mocha calls this once, after everything; the failures passed on become the exit code. */
  override done(failures: number, fn?: (failures: number) => void): void {
    if (this.#passed + this.#failed.length === 0) this.#note('No test was run.');
    this.#close();
    fn?.(Math.max(failures, this.#failed.length));
  }

  #open(suite: Mocha.Suite): void {
    if (this.#depth === 1) Base.consoleLog();
    if (!suite.root) this.#print(suite.title);
    this.#depth += 1;
  }

  #pass(test: Mocha.Test): void {
    this.#passed += 1;
    const slow = test.speed === 'slow' ? color('slow', ` (${test.duration ?? 0} ms)`) : '';
    this.#print(`${color('checkmark', symbols.ok)} ${color('pass', test.title)}${slow}`);
  }

  #fail(test: Mocha.Test, failure: Failure): void {
    this.#failed.push({ test, failure });
    this.#print(color('fail', `${this.#failed.length}) ${test.title}`));
  }

  #print(line: string): void {
    Base.consoleLog('  '.repeat(Math.max(0, this.#depth - 1)) + line);
  }

  /** Adds a failure of the run as a whole. */
  #note(message: string): void {
    const test = new Mocha.Test('the test run');
    test.parent = this.runner.suite;
    this.#fail(test, plain(message));
  }

  #closeUnfinished(): void {
    if (this.#isClosed) return;
    this.#note('The process ended before the tests did.');
    this.#close();
    process.exitCode = 1;
  }

  #close(): void {
    this.#isClosed = true;
    this.#failed.forEach((failed, index) => Base.consoleLog(describeFailure(failed, index + 1)));
    Base.consoleLog(`\nThe tests took ${((Date.now() - this.#started) / 1000).toFixed(1)} s.`);
    publish({ passed: this.#passed, failed: this.#failed.length, failedFiles: this.#failedFiles() });
  }

  /** None, where a failure belongs to no file. */
  #failedFiles(): string[] {
    const files = this.#failed.map(({ test }) => test.file && relative('', test.file));
    return files.every((file) => file !== undefined) ? [...new Set(files)] : [];
  }
}

/** A failure that has no place in the code to point at. */
const plain = (message: string): Failure => ({ name: 'Error', message });

function describeFailure({ test, failure }: FailedTest, number: number): string {
  const file = test.file ? color('light', ` (${relative('', test.file)})`) : '';
  const title = `\n${number}) ${test.titlePath().filter(Boolean).join(' › ')}${file}`;
  if (failure.message.startsWith(HOOK_FAILED) || failure.message === NOT_RUN) {
    return `${title}\n${indent(color('error message', failure.message))}`;
  }
  return `${title}\n${indent(color('error message', failure.stack ?? failure.message))}${describeDiff(failure)}`;
}

function describeDiff({ showDiff, actual, expected }: Failure): string {
  if (showDiff === false || typeof actual !== 'string' || typeof expected !== 'string') return '';
  return Base.generateDiff(actual, expected).trimEnd();
}

const indent = (text: string) => text.replace(/^/gm, '   ');

/** Under `npm test` the runner prints the line, when the database and all else has stopped talking. */
function publish(tally: { passed: number; failed: number; failedFiles: string[] }): void {
  const folder = process.env.TEST_FOLDER;
  if (folder) writeFileSync(join(folder, 'tally.json'), JSON.stringify(tally));
  else Base.consoleLog(`${tally.passed} passed, ${tally.failed} failed`);
}
