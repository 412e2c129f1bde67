import { delay, repeat } from '../../app/timing.ts';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { tryServerLock } from './serverLock.ts';
import type { Db } from '../connection/connect.ts';
import { isContention } from '../connection/faults.ts';

const ROW = 1;
const BEAT_MS = 1_000;
/** A node's death keeps the others of a Galera cluster from writing for about five seconds. */
const SILENCE_MS = 10_000;
const LOOK_MS = 200;

/** Another process has the lock, or has taken it over. */
export class ClusterLockTaken extends Error {
  override readonly name = 'ClusterLockTaken';
}

export interface ClusterLock {
  /** Throws `ClusterLockTaken` unless this process still has the lock. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

interface LockRow {
  id: number;
  holder: string;
  beat: number;
}

/**
 * Takes a lock that holds on every node of a cluster, where `get_lock` holds on one node alone: the only row of a table,
 * which its holder writes to each second. It is taken over at once from a process that died on the same server, and from
 * one on another server after ten seconds in which nothing was written.
 */
export async function lockCluster(
  db: Db,
  { name, table, deadline, stop }: { name: string; table: string; deadline: number; stop?: AbortSignal | undefined },
): Promise<ClusterLock> {
  const waitSeconds = Math.max(0, Math.ceil((deadline - Date.now()) / 1_000));
  const own = await tryServerLock(db, name, waitSeconds);
  if (!own) throw new ClusterLockTaken('another process on this server has the lock');
  try {
    // From here on a statement of this connection is a transaction.
    await own.connection.raw('commit');
    await createLockTable(db, table);
    const holder = await takeRow(own.connection, { table, deadline, stop });
    return keep(own.connection, { table, holder, unlockServer: own.release });
  } catch (error) {
    // A connection that broke has lost the lock, and the first fault is the one to tell.
    await own.release().catch(() => undefined);
    throw error;
  }
}

async function createLockTable(db: Db, table: string): Promise<void> {
  if (!(await db.schema.hasTable(table))) {
    const columns = 'id int not null primary key, holder varchar(700) not null, beat bigint not null';
    await db.raw(`create table if not exists ?? (${columns}) engine = InnoDB character set utf8mb4`, [table]);
  }
  await db(table).insert({ id: ROW, holder: '', beat: 0 }).onConflict('id').ignore();
}

/** Waits until the row is free, or its holder is dead, and writes this process's name into it. */
async function takeRow(
  connection: Knex.Transaction,
  { table, deadline, stop }: { table: string; deadline: number; stop: AbortSignal | undefined },
): Promise<string> {
  const server = await serverName(connection);
  const holder = `${server} ${randomUUID()}`;
  let seen: LockRow | undefined;
  let seenAt = 0;
  for (;;) {
    const row = await connection<LockRow>(table).where({ id: ROW }).first();
    if (!row) throw new ClusterLockTaken('the row of the lock is gone');
    if (row.holder !== seen?.holder || row.beat !== seen.beat) seenAt = performance.now();
    seen = row;
    // A live holder on this server would still have the server's own lock.
    const dead = row.holder.startsWith(`${server} `) || performance.now() - seenAt > SILENCE_MS;
    if (row.holder === '' || dead) {
      const mine = { holder, beat: row.beat + 1 };
      const changed = await connection(table)
        .where({ ...row })
        .update(mine);
      if (changed === 1) return holder;
    }
    if (Date.now() > deadline) throw new ClusterLockTaken('a process on another server has the lock');
    await delay(LOOK_MS, stop);
    stop?.throwIfAborted();
  }
}

async function serverName(connection: Knex.Transaction): Promise<string> {
  const answer: unknown = await connection.raw(`select concat_ws(':', @@hostname, @@port, @@datadir) as name`);
  const [[row]] = answer as [[{ name: string }]];
  return row.name.replaceAll(' ', '_').slice(0, 600);
}

function keep(
  connection: Knex.Transaction,
  { table, holder, unlockServer }: { table: string; holder: string; unlockServer: () => Promise<void> },
): ClusterLock {
  const mine = () => connection(table).where({ id: ROW, holder });
  const heartbeat = repeat(BEAT_MS, async () => {
    // What went wrong is met again by `confirm`.
    await mine()
      .increment('beat')
      .catch(() => undefined);
  });

  return {
    async confirm() {
      const kept = await mine()
        .increment('beat')
        .catch((error: unknown) => {
          if (isContention(error)) throw error;
          // The connection broke, and the server's lock went with it.
          return 0;
        });
      if (kept !== 1) throw new ClusterLockTaken('the lock was lost');
    },
    async release() {
      await heartbeat.stop();
      // What is not released here is so with the connection, or taken over from a holder that has gone.
      await mine()
        .update({ holder: '' })
        .catch(() => undefined);
      await unlockServer().catch(() => undefined);
    },
  };
}
