import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { Revocation } from '../../domain/keyInput.ts';
import { iso } from '../../domain/times.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { refuseToRevokeBeyondOwnScopes } from './keyRules.ts';
import {
  changeKey,
  changeKeyUnderAnyPolicy,
  isRotatedAway,
  lockKey,
  lockKeyChain,
  lockLiveKey,
  lockOnlyKey,
  refuseChangedKey,
  type LockedKey,
} from './storedKey.ts';

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
    return revokeLocked(trx, await lockOnlyKey(trx, act, id), revocation);
  });
}

/** Revokes the key that calls, whatever it may do and whatever the policy says: to end itself takes no right. */
export async function revokeOwnKey(act: ActionContext, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKeyUnderAnyPolicy(act, id, async (trx) => writeRevocation(trx, await lockKey(trx, act, id), revocation));
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

/** Writes the revocation of a locked key, in a transaction of the caller that has decided about it. */
export async function writeRevocation(trx: Db, { key, act }: LockedKey, { reason }: Revocation): Promise<RevokedKey> {
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

function isRevoked(key: ApiKey): key is RevokedKey {
  return key.revokedAt !== null;
}
