import { transaction, type Db } from '../../../db/connection/connect.ts';
import { findApiKey, noteKeyUses } from '../../../db/tables/keys/apiKeys.ts';
import { changeTenant, lockTenant } from '../../../db/tables/tenants.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { Networks } from '../../domain/network.ts';
import {
  breaksLifetimeRules,
  changePolicy as policyAfter,
  type Policy,
  type PolicyChange,
} from '../../domain/policy.ts';
import { AppError, invalidField } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import { requirePerson } from '../keyCallers.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { refuseUnknownScopes } from '../grantableScopes.ts';

/** Changes the rules for the keys of the act's tenant; they hold in every process once this returns. */
export async function changePolicy(act: ActionContext, change: PolicyChange): Promise<Policy> {
  refuseOwnLockout(act, change);
  return transaction(act.db, async (trx) => {
    const tenant = await lockTenant(trx, act.tenantId);
    if (!tenant) throw new AppError('not_found', 'no_such_tenant');
    if (change.defaultScopes) await refuseUnknownScopes(trx, 'defaultScopes', change.defaultScopes);
    refuseChanged(act.expectedVersions, versionOf(tenant.policy));
    const after = policyAfter(tenant.policy, change);
    const changes = changedFields(tenant.policy, after);
    if (!changes.before && !changes.after) return tenant.policy;
    if (after.keysMayManageKeys !== tenant.policy.keysMayManageKeys) {
      requirePerson(act, 'keys_keep_key_policy', 'keysMayManageKeys');
    }
    await refuseToRefuseOwnKey(trx, act, after);
    await changeTenant(trx, act.tenantId, { policy: after }, act.now);
    await recordOwnUse(trx, act);
    await recordAuditEvent(trx, act, { action: 'SETTINGS_CHANGED', entityId: act.tenantId, ...changes });
    return after;
  });
}

/**
 * Uses are stored a moment after the request; without this the calling key could count as idle under its own new rule.
 */
async function recordOwnUse(trx: Db, { principal, tenantId, now, origin }: ActionContext): Promise<void> {
  if (principal?.type !== 'api_key') return;
  await noteKeyUses(trx, [{ tenantId, keyId: principal.id, at: now, ip: origin.ip }]);
}

/** Refuses a key that breaks the rules it wants enforced on existing keys: it could not lift them again. */
async function refuseToRefuseOwnKey(trx: Db, { principal, tenantId }: ActionContext, after: Policy): Promise<void> {
  if (principal?.type !== 'api_key' || !after.enforceOnExisting) return;
  const key = await findApiKey(trx, tenantId, principal.id);
  if (key && breaksLifetimeRules(after, key)) throw invalidField('enforceOnExisting', 'would_refuse_own_key');
}

/**
 * Refuses a key that would lock itself out, which it could not undo; networks bind keys alone, so people always can.
 */
function refuseOwnLockout({ principal, origin }: ActionContext, { allowedNetworks = [] }: PolicyChange): void {
  if (principal?.type !== 'api_key' || allowedNetworks.length === 0) return;
  if (origin.ip !== null && Networks.of(allowedNetworks).contains(origin.ip)) return;
  throw invalidField('allowedNetworks', 'must_contain_own_address');
}
