import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { Pause } from '../../domain/keyInput.ts';
import { iso } from '../../domain/times.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { refuseBeyondOwnBounds, refuseBeyondOwnScopes, refuseToRevokeBeyondOwnScopes } from './keyRules.ts';
import { changeKey, lockLiveKey, lockOnlyKey, refuseInactive, type LockedKey } from './storedKey.ts';

/**
 * Refuses a key, in every process once this returns, until it is resumed. The id of a rotated key whose grace period has
 * ended stands for its successor; a key that is paused already stays as it is, and nothing is written.
 */
export async function pauseKey(act: ActionContext, id: string, pause: Pause): Promise<ApiKey> {
  return changeKey(act, id, async (trx) => writePause(trx, await lockLiveKey(trx, act, id), pause));
}

/** Lets a paused key work again, with the same rules for its id; a key that is not paused stays as it is. */
export async function resumeKey(act: ActionContext, id: string, pause: Pause): Promise<ApiKey> {
  return changeKey(act, id, async (trx) => endPause(trx, await lockLiveKey(trx, act, id), pause));
}

/** Pauses this key and never its successor, for a person who saw this key on a page; 409 if it ended in the meantime. */
export async function pauseOnlyKey(act: ActionContext, id: string, pause: Pause): Promise<ApiKey> {
  return changeKey(act, id, async (trx) => writePause(trx, await lockOnlyKey(trx, act, id), pause));
}

/** Resumes this key and never its successor. */
export async function resumeOnlyKey(act: ActionContext, id: string, pause: Pause): Promise<ApiKey> {
  return changeKey(act, id, async (trx) => endPause(trx, await lockOnlyKey(trx, act, id), pause));
}

async function writePause(trx: Db, locked: LockedKey, { reason }: Pause): Promise<ApiKey> {
  const { key, act } = locked;
  refuseInactive(locked);
  refuseToRevokeBeyondOwnScopes(act, key.scopes);
  if (key.pausedAt !== null) return key;
  const paused = {
    ...key,
    pausedAt: act.now,
    pausedBy: act.actor.id,
    pauseReason: reason ?? null,
    updatedAt: act.now,
  };
  await updateApiKey(trx, paused);
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_PAUSED',
    entityId: key.id,
    ...changedFields(null, { pausedAt: iso(act.now), reason: reason ?? undefined }),
  });
  return paused;
}

/** Whoever resumes a key lets it do all that it may, so a key resumes only what it could issue itself. */
async function endPause(trx: Db, locked: LockedKey, { reason }: Pause): Promise<ApiKey> {
  const { key, act } = locked;
  refuseInactive(locked);
  refuseBeyondOwnScopes(act, key.scopes);
  refuseBeyondOwnBounds(act, key);
  if (key.pausedAt === null) return key;
  const resumed = { ...key, pausedAt: null, pausedBy: null, pauseReason: null, updatedAt: act.now };
  await updateApiKey(trx, resumed);
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_RESUMED',
    entityId: key.id,
    ...changedFields({ pausedAt: iso(key.pausedAt) }, { pausedAt: null, reason: reason ?? undefined }),
  });
  return resumed;
}
