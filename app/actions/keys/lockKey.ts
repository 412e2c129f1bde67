import type { Db } from '../../../db/connection/connect.ts';
import { lockApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { AppError } from '../../errors.ts';
import type { Act } from '../act.ts';

/** A key that nobody else can change, and the act as something that comes after all that has happened to it. */
export interface LockedKey {
  key: ApiKey;
  act: Act;
}

/**
 * Holds the tenant's key until the transaction ends; one of another tenant does not exist. Requests wait for each other
 * and clocks differ: without moving its time on, an act that waited for a rotation would find the old key still valid.
 */
export async function lockKey(trx: Db, act: Act, id: string): Promise<LockedKey> {
  const key = await lockApiKey(trx, act.tenantId, id);
  if (!key) throw new AppError('not_found', 'no_such_key');
  return { key, act: { ...act, now: Math.max(act.now, key.updatedAt) } };
}

/**
 * Holds a key and whatever has taken its place, the oldest first: a rotation that came in between a list of keys and the
 * hold on one of them leaves a successor that the list does not know of.
 */
export async function lockKeyChain(trx: Db, asked: Act, id: string): Promise<LockedKey[]> {
  const line: LockedKey[] = [];
  for (let next: string | null = id; next !== null;) {
    const held: LockedKey = await lockKey(trx, line.at(-1)?.act ?? asked, next);
    line.push(held);
    next = held.key.successorKeyId;
  }
  return line;
}

/** Refuses to change what can never be used again. */
export function refuseDead({ key, act }: LockedKey): void {
  const reason = whyNotValid(key, act.now);
  if (reason) throw new AppError('key_not_active', `key_is_${reason}`);
}
