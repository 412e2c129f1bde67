import type { DatabaseConfig } from '../connection/settings.ts';
import type { Db } from '../connection/connect.ts';
import { tryLockFile } from './fileLock.ts';
import { tryLockServer } from './serverLock.ts';

/** Takes what lets one process at a time do this work on a database; undefined while another one is at it. */
export async function tryLockWork(
  db: Db,
  config: DatabaseConfig,
  work: 'pruning' | 'catching-up',
): Promise<(() => void | Promise<void>) | undefined> {
  if (config.kind === 'sqlite') return tryLockFile(`${config.file}-${work}`);
  return tryLockServer(db, `latchkey ${work === 'pruning' ? 'prune' : work} ${config.database}`);
}
