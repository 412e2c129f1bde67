import type { Db } from '../connection/connect.ts';

const LONGEST_NAME = 64;

/**
 * Takes the server's lock of this name, waiting so many seconds at most; undefined where another connection keeps it. It
 * belongs to one connection, and the server frees it with that one, however the process ended.
 */
export async function tryLockServer(db: Db, name: string, waitSeconds = 0): Promise<(() => Promise<void>) | undefined> {
  const lock = name.slice(0, LONGEST_NAME);
  // A transaction only for its connection of its own; it touches no table.
  const holder = await db.transaction();
  let taken = false;
  try {
    const answer: unknown = await holder.raw('select get_lock(?, ?) as got', [lock, waitSeconds]);
    const [[row]] = answer as [[{ got: number | null }]];
    taken = row.got === 1;
  } finally {
    // Given back also by a connection that broke, or the pool would wait for it for ever.
    if (!taken) await holder.rollback();
  }
  if (!taken) return undefined;
  return async () => {
    try {
      await holder.raw('select release_lock(?)', [lock]);
    } finally {
      await holder.rollback();
    }
  };
}
