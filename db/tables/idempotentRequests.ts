import { isDuplicate, isLockTimeout } from '../connection/faults.ts';
import type { Db } from '../connection/connect.ts';

/** A request that makes something, by the hash of its name and the hash of what it asks. */
export interface IdempotentRequest {
  id: Buffer;
  contentHash: Buffer;
}

/** How long the answer to a request is kept. */
export const KEPT_MS = 86_400_000;

interface Row {
  id: Buffer;
  content_hash: Buffer;
  answer: string | null;
  created_at: number;
}

/** Longer than the second for which the server lets a statement wait for a row, so that the server is who ends it. */
const LOCK_TIMEOUT_MS = 2_500;

/**
 * Reserves the name of the request in the transaction that makes something. Where another transaction has
 * reserved it, this waits until that ends, a second or two at most; false promises that it made something or goes on.
 */
export async function reserveIdempotentRequest(
  trx: Db,
  { id, contentHash }: IdempotentRequest,
  now: number,
): Promise<boolean> {
  try {
    const row = { id, content_hash: contentHash, answer: null, created_at: now };
    await table(trx).insert(row).options({ timeout: LOCK_TIMEOUT_MS });
    return true;
  } catch (error) {
    if (isDuplicate(error) || isLockTimeout(error)) return false;
    throw error;
  }
}

/** Stores the answer to a request that this transaction has reserved. */
export async function storeIdempotentAnswer(trx: Db, id: Buffer, answer: string): Promise<void> {
  await table(trx).where({ id }).update({ answer });
}

/** What was answered under this name in the last 24 hours, and to what; undefined if the name is free. */
export async function findIdempotentAnswer(
  db: Db,
  id: Buffer,
  now: number,
): Promise<{ contentHash: Buffer; answer: string } | undefined> {
  const row = await table(db).where({ id }).first();
  if (!row || row.answer === null) return undefined;
  if (row.created_at > now - KEPT_MS) return { contentHash: row.content_hash, answer: row.answer };
  // Upkeep has not come by yet, and the name can be used again.
  await table(db).where({ id, created_at: row.created_at }).delete();
  return undefined;
}

function table(db: Db) {
  return db<Row>('idempotent_requests');
}
