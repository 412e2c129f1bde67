import { transaction } from '../../../db/connection/connect.ts';
import { listAppKeys } from '../../../db/tables/keys/apiKeys.ts';
import { lockAppInstall, removeAppInstall } from '../../../db/tables/product/appInstalls.ts';
import type { App } from '../../domain/apps.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import type { ActionContext } from '../actionContext.ts';
import { refuseToRevokeBeyondOwnScopes } from '../keys/keyRules.ts';
import { findCatalogue } from '../grantableScopes.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { revokeKeyChain } from '../keys/revokeKey.ts';

/**
 * Uninstalls an app and revokes its token with all its predecessors and successors, in every process once this returns.
 * An app that is not installed stays so, and nothing is written.
 */
export async function uninstallApp(act: ActionContext, app: App): Promise<void> {
  const { tenantId, now } = act;
  await transaction(act.db, async (trx) => {
    const installed = await lockAppInstall(trx, tenantId, app.id);
    if (!installed) return;
    const granting = { ...act, catalogue: await findCatalogue(trx) };
    const working = (await listAppKeys(trx, tenantId, now)).filter((key) => key.app === app.id);
    for (const { id } of working) {
      const reason = `${app.name} was uninstalled`;
      await revokeKeyChain(trx, act, id, { reason }, ({ scopes }) => refuseToRevokeBeyondOwnScopes(granting, scopes));
    }
    await removeAppInstall(trx, installed, now);
    await recordAuditEvent(trx, act, {
      action: 'APP_UNINSTALLED',
      entityId: app.id,
      ...changedFields({ keyId: working[0]?.id ?? installed.keyId }, null),
    });
  });
}
