import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isUnavailable } from '../../../db/connection/faults.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Act } from '../act.ts';
import { refuseKeysUnlessAllowed } from './keyAuthority.ts';
import { policyOf } from './keyPolicy.ts';

/** For each pool of connections the last change of each key that has not ended yet. */
const queues = new WeakMap<Db, Map<string, Promise<unknown>>>();

/**
 * Runs a change of one key in a transaction, under the policy as it finds it. Changes of the same key take turns before
 * they take a connection: they would only wait for each other's lock, and many of them would hold up everybody else.
 */
export async function changeKey<T>(act: Act, id: string, work: (trx: Db, policy: Policy) => Promise<T>): Promise<T> {
  return changeInTurn(act, id, async (trx) => {
    const policy = await policyOf(trx, act.tenantId);
    refuseKeysUnlessAllowed(act, policy);
    return work(trx, policy);
  });
}

/** The same for what a key may change of itself whatever the policy says. */
export async function changeInTurn<T>(act: Act, id: string, work: (trx: Db) => Promise<T>): Promise<T> {
  return inTurn(queueOf(act.db), `${act.tenantId} ${id}`, async () => transaction(act.db, work));
}

function queueOf(db: Db): Map<string, Promise<unknown>> {
  const queue = queues.get(db) ?? new Map<string, Promise<unknown>>();
  queues.set(db, queue);
  return queue;
}

async function inTurn<T>(queue: Map<string, Promise<unknown>>, name: string, work: () => Promise<T>): Promise<T> {
  const before = queue.get(name) ?? Promise.resolve();
  const mine = before.then(work, async (error: unknown) => {
    // Where the database is gone, each one trying for itself would keep the last in line waiting for all of them.
    if (isUnavailable(error)) throw error;
    return work();
  });
  queue.set(name, mine);
  try {
    return await mine;
  } finally {
    if (queue.get(name) === mine) queue.delete(name);
  }
}
