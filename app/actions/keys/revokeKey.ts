import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { Revocation } from '../../domain/keyInput.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { iso } from '../../domain/times.ts';
import { AppError } from '../../errors.ts';
import type { Act } from '../act.ts';
import { changeKey } from './changeKey.ts';
import { lockKey, lockKeyChain, type LockedKey } from './lockKey.ts';
import { refuseToRevokeBeyondOwnScopes } from './keyAuthority.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** A key that is revoked, now or long ago. */
export type RevokedKey = ApiKey & { revokedAt: number };

/**
 * Ends a key for good, in every process once this returns. The id of a key that was rotated away stands for its
 * successor; a key that is revoked already stays as it is, and nothing is written.
 */
export async function revokeKey(act: Act, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKey(act, id, async (trx) => revokeHeld(trx, await holdLiveKey(trx, act, id), revocation));
}

/**
 * The same for somebody who saw this very key and means no other: where its grace has ended meanwhile it is over, 409, and
 * its successor goes on.
 */
export async function revokeOnlyKey(act: Act, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKey(act, id, async (trx) => {
    const held = await lockKey(trx, act, id);
    if (isReplaced(held)) throw new AppError('key_not_active', 'key_is_revoked');
    return revokeHeld(trx, held, revocation);
  });
}

/** Ends what is left of a key and of all that took its place, as a part of something larger whose caller may do that. */
export async function revokeKeyChain(
  trx: Db,
  act: Act,
  id: string,
  revocation: Revocation,
  refuse: (key: ApiKey) => void = () => undefined,
): Promise<void> {
  for (const held of await lockKeyChain(trx, act, id)) {
    if (isReplaced(held)) continue;
    refuse(held.key);
    await end(trx, held, revocation);
  }
}

async function revokeHeld(trx: Db, held: LockedKey, revocation: Revocation): Promise<RevokedKey> {
  refuseToRevokeBeyondOwnScopes(held.act, held.key.scopes);
  return end(trx, held, revocation);
}

async function end(trx: Db, { key, act }: LockedKey, { reason }: Revocation): Promise<RevokedKey> {
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

/** The key of this id, or where it was rotated away and works no more, the one that took its place. */
async function holdLiveKey(trx: Db, act: Act, id: string): Promise<LockedKey> {
  const held = await lockKey(trx, act, id);
  const { successorKeyId } = held.key;
  return successorKeyId !== null && isReplaced(held) ? holdLiveKey(trx, held.act, successorKeyId) : held;
}

/** Whether another key has taken its place and it works no more. */
function isReplaced({ key, act }: LockedKey): boolean {
  return key.revokedAt === null && key.successorKeyId !== null && whyNotValid(key, act.now) !== undefined;
}

function isRevoked(key: ApiKey): key is RevokedKey {
  return key.revokedAt !== null;
}
