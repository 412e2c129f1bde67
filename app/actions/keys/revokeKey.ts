import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { Revocation } from '../../domain/keyInput.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { iso } from '../../domain/times.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { refuseToRevokeBeyondOwnScopes } from './keyRules.ts';
import { changeKey, lockKey, lockKeyChain, refuseChangedKey, type LockedKey } from './storedKey.ts';

/** A key that has been revoked. */
export type RevokedKey = ApiKey & { revokedAt: number };

/**
 * Revokes a key, in every process once this returns. The id of a rotated key whose grace period has ended stands for its
 * successor; a key that is revoked already stays as it is, and nothing is written.
 */
export async function revokeKey(act: ActionContext, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKey(act, id, async (trx) => {
    const locked = await lockLiveKey(trx, act, id);
    // What is wanted has happened already, whoever did it.
    if (!isRevoked(locked.key)) refuseChangedKey(locked);
    return revokeLocked(trx, locked, revocation);
  });
}

/**
 * Revokes this key and never its successor, for a person who saw this key on a page: if its grace period has ended in the
 * meantime, the answer is 409 and the successor stays valid.
 */
export async function revokeOnlyKey(act: ActionContext, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKey(act, id, async (trx) => {
    const locked = await lockKey(trx, act, id);
    if (isRotatedAway(locked)) throw new AppError('key_not_active', 'key_is_revoked');
    return revokeLocked(trx, locked, revocation);
  });
}

/** Revokes a key and all its successors in a transaction of the caller; `refuse` may throw before each is revoked. */
export async function revokeKeyChain(
  trx: Db,
  act: ActionContext,
  id: string,
  revocation: Revocation,
  refuse: (key: ApiKey) => void = () => undefined,
): Promise<void> {
  for (const locked of await lockKeyChain(trx, act, id)) {
    if (isRotatedAway(locked)) continue;
    refuse(locked.key);
    await writeRevocation(trx, locked, revocation);
  }
}

async function revokeLocked(trx: Db, locked: LockedKey, revocation: Revocation): Promise<RevokedKey> {
  refuseToRevokeBeyondOwnScopes(locked.act, locked.key.scopes);
  return writeRevocation(trx, locked, revocation);
}

async function writeRevocation(trx: Db, { key, act }: LockedKey, { reason }: Revocation): Promise<RevokedKey> {
  if (isRevoked(key)) return key;
  const revoked = {
    ...key,
    revokedAt: act.now,
    revokedBy: act.actor.id,
    revokeReason: reason ?? null,
    updatedAt: act.now,
  };
  await updateApiKey(trx, revoked);
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_REVOKED',
    entityId: key.id,
    ...changedFields(null, { revokedAt: iso(act.now), reason: reason ?? undefined }),
  });
  return revoked;
}

/** Locks the key of this id, or its live successor where the key was rotated and its grace period has ended. */
async function lockLiveKey(trx: Db, act: ActionContext, id: string): Promise<LockedKey> {
  const locked = await lockKey(trx, act, id);
  const { successorKeyId } = locked.key;
  return successorKeyId !== null && isRotatedAway(locked) ? lockLiveKey(trx, locked.act, successorKeyId) : locked;
}

/** Whether a rotation replaced the key and its grace period has ended. */
function isRotatedAway({ key, act }: LockedKey): boolean {
  return key.revokedAt === null && key.successorKeyId !== null && whyNotValid(key, act.now) !== undefined;
}

function isRevoked(key: ApiKey): key is RevokedKey {
  return key.revokedAt !== null;
}
