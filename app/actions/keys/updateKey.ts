import type { Db } from '../../../db/connection/connect.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { storeKeyScopes } from '../../../db/tables/keys/apiKeyScopes.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { whyNotValid } from '../../domain/keyStatus.ts';
import { unauthenticated } from '../../auth/challenge.ts';
import type { KeyChange, SelfChange } from '../../domain/keyInput.ts';
import type { Act } from '../act.ts';
import { changeInTurn, changeKey } from './changeKey.ts';
import { lockKey, refuseDead } from './lockKey.ts';
import { refuseBeyondOwnBounds, refuseBeyondOwnScopes, refuseToGrantBeyondOwnScopes } from './keyAuthority.ts';
import { refuseExpiry } from './keyExpiry.ts';
import { auditedFields } from './auditedFields.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** Changes a key that still lives, from its next request on; what stays the same leaves no trace in the log. */
export async function updateKey(asked: Act, id: string, change: KeyChange): Promise<ApiKey> {
  return changeKey(asked, id, async (trx, policy) => {
    const held = await lockKey(trx, asked, id);
    const { key: before, act } = held;
    refuseDead(held);
    refuseBeyondOwnScopes(act, before.scopes);
    const after = changed(before, change);
    refuseToGrantBeyondOwnScopes(
      act,
      after.scopes.filter((scope) => !before.scopes.includes(scope)),
    );
    refuseBeyondOwnBounds(act, before);
    refuseBeyondOwnBounds(act, after);
    if (after.expiresAt !== before.expiresAt) refuseExpiry(policy, after.expiresAt, before.createdAt, act.now);
    return store(trx, act, before, { ...after, updatedAt: act.now });
  });
}

/** Changes what a key is called, as the key itself asks for; what the key may do stays as it is. */
export async function updateSelf(asked: Act, id: string, change: SelfChange): Promise<ApiKey> {
  const { name, description } = change;
  return changeInTurn(asked, id, async (trx) => {
    const held = await lockKey(trx, asked, id);
    const { key: before, act } = held;
    // It was valid when its request came in, and ended before it was held.
    if (whyNotValid(before, act.now)) throw unauthenticated('invalid_key', 'key_just_ended');
    return store(trx, act, before, { ...changed(before, { name, description }), updatedAt: act.now });
  });
}

async function store(trx: Db, act: Act, before: ApiKey, after: ApiKey): Promise<ApiKey> {
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

function changed(key: ApiKey, change: KeyChange): ApiKey {
  const { scopes, allowedIps, ...others } = change;
  const after: ApiKey = {
    ...key,
    ...givenOf(others),
    // Their order means nothing.
    ...(scopes && !isSameSet(scopes, key.scopes) && { scopes }),
    ...(allowedIps !== undefined && { allowedIps: allowedIps ?? [] }),
  };
  const { graceEndsAt } = after;
  // The overlap of a rotation never outlives the key itself.
  return graceEndsAt === null || after.expiresAt === null
    ? after
    : { ...after, graceEndsAt: Math.min(graceEndsAt, after.expiresAt) };
}

/** Those fields that a value was given for. */
function givenOf<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((scope) => b.includes(scope));
}
