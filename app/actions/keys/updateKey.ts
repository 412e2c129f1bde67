import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { storeKeyScopes } from '../../../db/tables/keys/apiKeyScopes.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { unauthenticated } from '../../auth/challenge.ts';
import type { KeyChange, SelfChange } from '../../domain/keyInput.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { refuseUnknownScopes } from '../grantableScopes.ts';
import {
  refuseBeyondOwnBounds,
  refuseBeyondOwnScopes,
  refuseExpiry,
  refuseToGrantBeyondOwnScopes,
} from './keyRules.ts';
import {
  auditedFields,
  changeKey,
  changeKeyUnderAnyPolicy,
  lockKey,
  refuseChangedKey,
  refuseInactive,
} from './storedKey.ts';

/** Changes an active key from its next request on; the audit log keeps only the fields that changed. */
export async function updateKey(request: ActionContext, id: string, change: KeyChange): Promise<ApiKey> {
  return changeKey(request, id, async (trx, policy) => {
    const locked = await lockKey(trx, request, id);
    const { key: before, act } = locked;
    refuseInactive(locked);
    refuseChangedKey(locked);
    refuseBeyondOwnScopes(act, before.scopes);
    const after = applyChange(before, change);
    const added = after.scopes.filter((scope) => !before.scopes.includes(scope));
    if (added.length > 0) await refuseUnknownScopes(trx, 'scopes', after.scopes, before.scopes);
    refuseToGrantBeyondOwnScopes(act, added);
    refuseBeyondOwnBounds(act, before);
    refuseBeyondOwnBounds(act, after);
    if (after.expiresAt !== before.expiresAt) refuseExpiry(policy, after.expiresAt, before.createdAt, act.now);
    return storeChange(trx, act, before, { ...after, updatedAt: act.now });
  });
}

/** Changes the name and description of the key that calls; what the key may do stays as it is. */
export async function updateOwnKey(request: ActionContext, id: string, change: SelfChange): Promise<ApiKey> {
  const { name, description } = change;
  return changeKeyUnderAnyPolicy(request, id, async (trx) => {
    const locked = await lockKey(trx, request, id);
    const { key: before, act } = locked;
    // The key was valid when its request came in, and ended before it was locked.
    if (whyNotValid(before, act.now)) throw unauthenticated('invalid_key', 'key_just_ended');
    refuseChangedKey(locked);
    return storeChange(trx, act, before, { ...applyChange(before, { name, description }), updatedAt: act.now });
  });
}

async function storeChange(trx: Db, act: ActionContext, before: ApiKey, after: ApiKey): Promise<ApiKey> {
  const scopes = changedFields({ scopes: before.scopes }, { scopes: after.scopes });
  const fields = changedFields(auditedFields(before), auditedFields(after));
  if (!scopes.after && !fields.after) return before;
  await updateApiKey(trx, after);
  if (scopes.after) {
    await storeKeyScopes(trx, after);
    await recordAuditEvent(trx, act, { action: 'API_KEY_SCOPES_UPDATED', entityId: after.id, ...scopes });
  }
  if (fields.after) await recordAuditEvent(trx, act, { action: 'API_KEY_UPDATED', entityId: after.id, ...fields });
  return after;
}

function applyChange(key: ApiKey, change: KeyChange): ApiKey {
  const { scopes, allowedIps, ...others } = change;
  const after: ApiKey = {
    ...key,
    ...givenOf(others),
    // Scopes in another order are no change.
    ...(scopes && !isSameSet(scopes, key.scopes) && { scopes }),
    ...(allowedIps !== undefined && { allowedIps: allowedIps ?? [] }),
  };
  const { graceEndsAt } = after;
  // A grace period never ends after the key itself.
  return graceEndsAt === null || after.expiresAt === null
    ? after
    : { ...after, graceEndsAt: Math.min(graceEndsAt, after.expiresAt) };
}

/** The fields without those that are undefined. */
function givenOf<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((scope) => b.includes(scope));
}
