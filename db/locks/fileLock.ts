import { DatabaseSync } from '@photostructure/sqlite';
import { isBusy } from '../connection/sqlite.ts';

/**
 * Takes the lock that this file stands for and gives what frees it; undefined while another process has it. The
 * operating system frees it with the process, however that ended.
 */
export function tryLockFile(file: string): (() => void) | undefined {
  const lock = new DatabaseSync(file);
  try {
    lock.exec('PRAGMA busy_timeout = 0');
    lock.exec('BEGIN EXCLUSIVE');
    return () => lock.close();
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}
