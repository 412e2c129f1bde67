import { delay } from '../../app/timing.ts';
import type { DatabaseConfig } from '../connection/settings.ts';
import type { Db } from '../connection/connect.ts';
import { tryLockWork } from '../locks/workLock.ts';
import { hasDaysToRollUp, OPEN_MS, rollUpNextDays } from '../tables/usage/apiKeyUsageMonths.ts';

const PAUSE_MS = 10;

/**
 * Rolls up older usage for the lists, which read younger usage themselves; false if another process does so already.
 * `nextDays` does a step of it, where another thread has the time.
 */
export async function rollUp(
  db: Db,
  config: DatabaseConfig,
  now: number,
  { stop, nextDays = async (to) => rollUpNextDays(db, to) }: RollUpOptions = {},
): Promise<boolean> {
  const unlock = await tryLockWork(db, config, 'catching-up');
  if (!unlock) return false;
  try {
    const to = now - OPEN_MS;
    if (await hasDaysToRollUp(db, to)) await repeat(async () => nextDays(to), stop);
    return true;
  } finally {
    await unlock();
  }
}

interface RollUpOptions {
  stop?: AbortSignal;
  nextDays?: (to: number) => Promise<boolean>;
}

/** Repeats a small step until nothing is left, with a pause after each, so that requests get the database in between. */
async function repeat(step: () => Promise<boolean>, stop: AbortSignal | undefined): Promise<void> {
  while (!stop?.aborted && (await step())) await delay(PAUSE_MS);
}
