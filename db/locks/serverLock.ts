import type { Knex } from 'knex';
import type { Db } from '../connection/connect.ts';

const LONGEST_NAME = 64;

export interface ServerLock {
  /** The connection that has the lock, in a transaction that has touched no table. */
  connection: Knex.Transaction;
  release: () => Promise<void>;
}

/** Takes the server's lock of this name as `tryLockServer` does, for work on the connection that has it. */
export async function tryServerLock(db: Db, name: string, waitSeconds = 0): Promise<ServerLock | undefined> {
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
  const release = async () => {
    try {
      await holder.raw('select release_lock(?)', [lock]);
    } finally {
      await holder.rollback();
    }
  };
  return { connection: holder, release };
}

/**
 * Takes the server's lock of this name, waiting so many seconds at most; undefined where another connection keeps it. It
 * belongs to one connection, and the server frees it with that one, however the process ended.
 */
export async function tryLockServer(db: Db, name: string, waitSeconds = 0): Promise<(() => Promise<void>) | undefined> {
  return (await tryServerLock(db, name, waitSeconds))?.release;
}
