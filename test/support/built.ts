import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from '../../app/root.ts';

/** Brings `dist/` up to date, once in a run: two compilers at a time would leave half-written files to each other. */
export async function build(): Promise<void> {
  const folder = process.env.TEST_FOLDER;
  if (!folder) throw new Error('TEST_FOLDER is not set: run the tests with `npm test`, which makes one.');
  const done = path.join(folder, 'built');
  if (await isFirst(path.join(folder, 'building'))) {
    await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT });
    await writeFile(done, '');
  }
  while (!existsSync(done)) await delay(50);
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
