import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../app/root.ts';
import { startTestDatabase } from './testDatabase.ts';
import { installMissingPrograms } from './testPrograms.ts';

interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly failedFiles: readonly string[];
}

const MOCHA = fileURLToPath(new URL('bin/mocha.js', import.meta.resolve('mocha')));
const ROOM_FOR_A_RUN = 3 * 2 ** 30;
// The result of a run that reported none.
const NO_RESULT: TestCounts = { passed: 0, failed: 1, failedFiles: [] };
// More than these are no accident of a busy machine.
const MOST_FILES_RUN_AGAIN = 3;

let mocha: ChildProcess | undefined;
let interruptedBy: NodeJS.Signals | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruptedBy = signal;
    mocha?.kill(signal);
  });
}

async function runMocha(args: string[], folder: string, databaseUrl: string): Promise<TestCounts> {
  if (interruptedBy) return NO_RESULT;
  const env = { ...process.env, TEST_DATABASE_URL: databaseUrl, TEST_FOLDER: folder };
  mocha = spawn(process.execPath, [MOCHA, ...args], { stdio: 'inherit', env });
  const [code, signal] = (await once(mocha, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal) console.error(`The tests were ended by ${signal}.`);
  const tally = await readTestCounts(folder);
  // A crash after the last test has no test to its name.
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

async function readTestCounts(folder: string): Promise<TestCounts> {
  try {
    return JSON.parse(await readFile(join(folder, 'tally.json'), 'utf8')) as TestCounts;
  } catch {
    return NO_RESULT;
  }
}

/**
 * Runs the files with a failure once more, one at a time. A promise that is broken fails again; a test that passes now
 * missed a deadline on a busy machine or met a race, which the end of the run names so that it is looked at.
 */
async function runFailedFilesAgain(first: TestCounts, folder: string, databaseUrl: string): Promise<TestCounts> {
  const files = first.failedFiles;
  if (files.length === 0 || files.length > MOST_FILES_RUN_AGAIN) return first;
  console.log(`\n== Once more, one file at a time: ${files.join(' ')}\n`);
  const { failed } = await runMocha(['--no-parallel', ...files], folder, databaseUrl);
  return { passed: first.passed + first.failed - failed, failed, failedFiles: files };
}

/** Makes what production runs, which is what tests start where they need the server in a process of its own. */
async function build(): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT });
}

/** A folder in memory, if the machine has one with room for a run: the tests need no data that survives a power cut. */
async function findFastFolder(): Promise<string> {
  try {
    const mounts = await readFile('/proc/mounts', 'utf8');
    const options = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(mounts)?.[1]?.split(',');
    const { bavail, bsize } = await statfs('/dev/shm');
    // Some tests run a program that they have built.
    const isFit = options?.includes('rw') && !options.includes('noexec') && bavail * bsize >= ROOM_FOR_A_RUN;
    if (isFit && freemem() >= 2 * ROOM_FOR_A_RUN) return '/dev/shm';
  } catch {
    // A machine without /proc or /dev/shm.
  }
  return tmpdir();
}

/** Runs the selected tests against a database of this run, which is removed afterwards. */
async function runTests(args: string[]): Promise<TestCounts> {
  const folder = await mkdtemp(join(await findFastFolder(), 'latchkey-test-'));
  // What the run's programs put aside, the browser's profiles and the databases, goes with the run.
  process.env.TMPDIR = folder;
  try {
    await Promise.all([installMissingPrograms(), build()]);
    const database = await startTestDatabase();
    try {
      const counts = await runMocha(args, folder, database.url);
      // Who runs a few files wants to see each failure of theirs.
      return args.length === 0 ? await runFailedFilesAgain(counts, folder, database.url) : counts;
    } finally {
      await database.stop();
    }
  } catch (error) {
    console.error(error);
    return NO_RESULT;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const { passed, failed, failedFiles } = await runTests(process.argv.slice(2));
if (failed === 0 && failedFiles.length > 0) console.log(`Passed only when run again: ${failedFiles.join(' ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
