import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder whose disk can be filled up and emptied again, for a server process. */
export interface FillableDisk {
  readonly folder: string;
  fill(pid: number): void;
  /** Makes room again, also where the process is no more. */
  empty(pid?: number): void;
  remove(): void;
}

/**
 * The ways in which a process can be without room here, by name. Files that may not grow are everywhere; a small file
 * system of its own takes the right to mount one, which a container often does not have.
 */
export function waysToFillADisk(): Record<string, () => FillableDisk> {
  const files = { 'whose files may not grow any more': unmountedDisk };
  if (mayMount()) return { 'whose file system is full': mountedDisk, ...files };
  process.stderr.write('Mounting is not permitted here: a full disk is tried only by files that may not grow.\n');
  return files;
}

function mayMount(): boolean {
  const folder = newFolder();
  const { status } = mount(folder);
  if (status === 0) unmount(folder);
  rmSync(folder, { recursive: true, force: true });
  return status === 0;
}

function mountedDisk(): FillableDisk {
  const folder = newFolder();
  const { status, stderr } = mount(folder);
  if (status !== 0) throw new Error(`a file system could not be mounted: ${stderr}`);
  const remove = () => {
    process.off('exit', remove);
    unmount(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  const filler = path.join(folder, 'filler');
  return {
    folder,
    fill: () => fillUp(filler),
    empty: () => rmSync(filler, { force: true }),
    remove,
  };
}

function unmountedDisk(): FillableDisk {
  const folder = newFolder();
  return {
    folder,
    fill: (pid) => limitFiles(pid, 0),
    empty: (pid) => {
      if (pid !== undefined) limitFiles(pid, 'unlimited');
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** From now on no file of the process may be longer than so many bytes where it is written. */
export function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

const newFolder = () => mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-disk-'));

function mount(folder: string) {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { encoding: 'utf8' });
}

function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder]);
}

/** Takes the last byte: a file that grows by less than a block may still find room in it. */
function fillUp(file: string): void {
  const filler = openSync(file, 'a');
  for (let size = 1 << 20; size > 0; size >>= 1) {
    try {
      for (;;) writeSync(filler, Buffer.alloc(size));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(filler);
}
