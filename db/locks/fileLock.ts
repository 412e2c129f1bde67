import { DatabaseSync } from '@photostructure/sqlite';
import { isBusy } from '../connection/sqlite.ts';

/**
 * Locks the file and returns the function that unlocks it; undefined if another process has the lock. The operating
 * system frees it when the process ends in any way.
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
