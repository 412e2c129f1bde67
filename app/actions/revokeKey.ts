import type { Db } from '../../db/connect.ts';
import { updateApiKey, type ApiKey } from '../../db/tables/apiKeys.ts';
import { changedFields } from '../domain/auditEvent.ts';
import type { Revocation } from '../domain/keyInput.ts';
import { whyNotValid } from '../domain/keyStatus.ts';
import { iso } from '../domain/times.ts';
import type { Act } from './act.ts';
import { changeKey } from './changeKey.ts';
import { holdKey, type Held } from './holdKey.ts';
import { refuseBeyondOwn } from './keyAuthority.ts';
import { record } from './record.ts';

/** A key that is revoked, now or long ago. */
export type RevokedKey = ApiKey & { revokedAt: number };

/**
 * Ends a key for good, in every process once this returns. The id of a key that was rotated away stands for its
 * successor; a key that is revoked already stays as it is, and nothing is written.
 */
export async function revokeKey(act: Act, id: string, revocation: Revocation): Promise<RevokedKey> {
  return changeKey(act, id, async (trx) => revokeKeyWithin(trx, act, id, revocation));
}

/** The same as a part of something larger, such as the removal of an app. */
export async function revokeKeyWithin(trx: Db, asked: Act, id: string, { reason }: Revocation): Promise<RevokedKey> {
  const { key, act } = await holdLiveKey(trx, asked, id);
  // A person who may manage keys may stop any of them; a key that could would be a way to lock its masters out.
  if (act.principal?.type === 'api_key') refuseBeyondOwn(act, key.scopes);
  if (isRevoked(key)) return key;
  const revoked = {
    ...key,
    revokedAt: act.now,
    revokedBy: act.actor.id,
    revokeReason: reason ?? null,
    updatedAt: act.now,
  };
  await updateApiKey(trx, revoked);
  await record(trx, act, {
    action: 'API_KEY_REVOKED',
    entityId: key.id,
    ...changedFields(null, { revokedAt: iso(act.now), reason: reason ?? undefined }),
  });
  return revoked;
}

/** The key of this id, or where it was rotated away and works no more, the one that took its place. */
async function holdLiveKey(trx: Db, asked: Act, id: string): Promise<Held> {
  const held = await holdKey(trx, asked, id);
  const { key, act } = held;
  const { successorKeyId, revokedAt } = key;
  if (revokedAt !== null || successorKeyId === null || !whyNotValid(key, act.now)) return held;
  return holdLiveKey(trx, act, successorKeyId);
}

function isRevoked(key: ApiKey): key is RevokedKey {
  return key.revokedAt !== null;
}
