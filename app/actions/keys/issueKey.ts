import { transaction, type Db } from '../../../db/connection/connect.ts';
import { lockMembership } from '../../../db/tables/people/memberships.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import type { NewKey } from '../../domain/keyInput.ts';
import type { Policy } from '../../domain/policy.ts';
import type { KeyStyle } from '../../domain/token.ts';
import { AppError, invalidField } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';
import { findCatalogue, refuseUnknownScopes } from '../grantableScopes.ts';
import {
  findPolicy,
  refuseBeyondOwnBounds,
  refuseKeysBeyondPlan,
  refuseExpiry,
  requireKeysMayManageKeys,
  refuseToGrantBeyondOwnScopes,
} from './keyRules.ts';
import { auditedFields, newKeyState, storeNewKey, type IssuedKey } from './storedKey.ts';

const DAY_MS = 86_400_000;

/** Issues a key within the tenant's policy and plan, with no more scopes and no wider limits than the caller has. */
export async function issueKey(act: ActionContext, style: KeyStyle, input: NewKey): Promise<IssuedKey> {
  return transaction(act.db, async (trx) => {
    const policy = await findPolicy(trx, act.tenantId);
    requireKeysMayManageKeys(act, policy);
    return makeOnce(trx, act, async () => {
      if (input.scopes) await refuseUnknownScopes(trx, 'scopes', input.scopes);
      return issueKeyWithin(trx, act, style, policy, input);
    });
  });
}

/** Issues a key in a transaction of the caller, such as the installation of an app, which has read the policy already. */
export async function issueKeyWithin(
  trx: Db,
  act: ActionContext,
  style: KeyStyle,
  policy: Policy,
  input: NewKey,
  app: string | null = null,
): Promise<IssuedKey> {
  const catalogue = await findCatalogue(trx);
  const scopes = input.scopes ?? policy.defaultScopes.filter((scope) => catalogue.isKnown(scope));
  // Scopes that the policy gives by default may have left the catalogue since; a key without any would open nothing.
  if (scopes.length === 0) throw invalidField('scopes', 'required');
  refuseToGrantBeyondOwnScopes({ ...act, catalogue }, scopes);
  const expiresAt = input.expiresAt ?? (input.expiresInDays ? act.now + input.expiresInDays * DAY_MS : null);
  const bounds = {
    expiresAt,
    allowedIps: input.allowedIps ?? [],
    rateLimit: input.rateLimit ?? null,
    monthlyQuota: input.monthlyQuota ?? null,
  };
  refuseBeyondOwnBounds(act, bounds, input.expiresInDays ? { expiresAt: 'expiresInDays' } : {});
  refuseExpiry(policy, expiresAt, act.now, act.now);
  await refuseKeysBeyondPlan(trx, act);
  const issued = await storeNewKey(trx, style, {
    id: newId(act.now),
    tenantId: act.tenantId,
    userId: input.owner === 'user' ? await lockOwner(trx, act) : null,
    name: input.name,
    description: input.description ?? null,
    environment: input.environment,
    scopes,
    ...bounds,
    externalId: input.externalId ?? null,
    metadata: input.metadata ?? {},
    app,
    previousKeyId: null,
    ...newKeyState(act),
  });
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_CREATED',
    entityId: issued.key.id,
    ...changedFields(null, {
      ...auditedFields(issued.key),
      scopes,
      environment: input.environment,
      owner: input.owner,
    }),
  });
  return issued;
}

/**
 * The person who will own the key: the caller, or the owner of the key that calls. Their membership is locked, so that
 * removing them from the tenant at the same time also revokes this key.
 */
async function lockOwner(trx: Db, { principal, tenantId }: ActionContext): Promise<string> {
  const id = principal?.type === 'user' ? principal.id : principal?.owner?.id;
  if (id === undefined) throw invalidField('owner', 'own_key_takes_a_person');
  if (await lockMembership(trx, tenantId, id)) return id;
  throw new AppError('insufficient_permission', 'own_key_takes_a_member');
}
