import type { Db } from '../../../db/connection/connect.ts';
import { inheritQuota } from '../../../db/tables/keys/apiKeyQuotas.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import type { Rotation } from '../../domain/keyInput.ts';
import { graceProblem, policyFault, type Policy } from '../../domain/policy.ts';
import { iso, monthOf } from '../../domain/times.ts';
import type { KeyStyle } from '../../domain/token.ts';
import { AppError, invalidField } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';
import { refuseBeyondOwnBounds, refuseBeyondOwnScopes, refuseExpiry, refuseKeyOfAnotherPerson } from './keyRules.ts';
import { changeKey, lockKey, newKeyState, refuseInactive, storeNewKey, type IssuedKey } from './storedKey.ts';

/**
 * Replaces a key by a new one with the same name, scopes and limits. The old key works until its grace period ends, and
 * never past its own expiry; of several rotations at the same time one succeeds.
 */
export async function rotateKey(
  request: ActionContext,
  style: KeyStyle,
  id: string,
  rotation: Rotation,
): Promise<IssuedKey> {
  const rotate = async (trx: Db, policy: Policy) => {
    const locked = await lockKey(trx, request, id);
    const { key: old, act } = locked;
    refuseRotated(old);
    refuseInactive(locked);
    refusePaused(old);
    refuseKeyOfAnotherPerson(act, old.userId);
    refuseBeyondOwnScopes(act, old.scopes);
    const tooLong = graceProblem(policy, rotation.gracePeriodSeconds);
    if (tooLong) throw invalidField('gracePeriodSeconds', policyFault(tooLong, policy));
    const expiresAt = rotation.expiresAt === undefined ? old.expiresAt : rotation.expiresAt;
    refuseBeyondOwnBounds(act, { ...old, expiresAt });
    refuseExpiry(policy, expiresAt, act.now, act.now);

    const successor = { ...old, id: newId(act.now), expiresAt, previousKeyId: old.id, ...newKeyState(act) };
    const issued = await storeNewKey(trx, style, successor);
    await inheritQuota(trx, old.id, issued.key.id, monthOf(act.now));
    const graceEndsAt = Math.min(act.now + rotation.gracePeriodSeconds * 1000, old.expiresAt ?? Infinity);
    await updateApiKey(trx, { ...old, successorKeyId: issued.key.id, graceEndsAt, updatedAt: act.now });
    await recordAuditEvent(trx, act, {
      action: 'API_KEY_ROTATED',
      entityId: old.id,
      ...changedFields(
        { successorKeyId: null, graceEndsAt: null, expiresAt: iso(old.expiresAt) },
        { successorKeyId: issued.key.id, graceEndsAt: iso(graceEndsAt), expiresAt: iso(expiresAt) },
      ),
    });
    return issued;
  };
  return changeKey(request, id, async (trx, policy) => makeOnce(trx, request, async () => rotate(trx, policy)));
}

/** A successor of a paused key would work, and so undo the pause. */
function refusePaused({ pausedAt }: ApiKey): void {
  if (pausedAt !== null) throw new AppError('key_not_active', 'key_is_paused');
}

function refuseRotated(key: ApiKey): void {
  if (key.revokedAt !== null || key.successorKeyId === null) return;
  throw new AppError('already_rotated', 'already_rotated');
}
