import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { insertAppInstall, lockAppInstall, removeAppInstall } from '../../../db/tables/product/appInstalls.ts';
import { listAppKeys } from '../../../db/tables/keys/apiKeys.ts';
import type { App } from '../../domain/apps.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { narrowToBounds } from '../../domain/keyBounds.ts';
import { NewKey } from '../../domain/keyInput.ts';
import type { Policy } from '../../domain/policy.ts';
import type { KeyStyle } from '../../domain/token.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { issueKeyWithin } from '../keys/issueKey.ts';
import type { IssuedKey } from '../keys/storedKey.ts';
import { findPolicy } from '../keys/keyRules.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

/** The lifetime of a token if the policy requires an expiry but names no longest one. */
const LONGEST_DAYS = 365;
const DAY_MS = 86_400_000;

/**
 * Installs an app: issues a service token with the scopes it declares, which the installer must hold. Of several
 * installs at the same time one succeeds, the others are 409.
 */
export async function installApp(act: ActionContext, style: KeyStyle, app: App): Promise<IssuedKey> {
  try {
    return await transaction(act.db, async (trx) =>
      makeOnce(trx, act, async () => installWithin(trx, act, style, app)),
    );
  } catch (error) {
    throw isDuplicate(error) ? installedAlready(error) : error;
  }
}

async function installWithin(trx: Db, act: ActionContext, style: KeyStyle, app: App): Promise<IssuedKey> {
  await refuseInstalled(trx, act, app);
  const policy = await findPolicy(trx, act.tenantId);
  const issued = await issueKeyWithin(trx, act, style, policy, tokenFor(act, app, policy), app.id);
  const install = { id: newId(), tenantId: act.tenantId, app: app.id, keyId: issued.key.id };
  await insertAppInstall(trx, { ...install, installedBy: act.actor.id, installedAt: act.now });
  await recordAuditEvent(trx, act, {
    action: 'APP_INSTALLED',
    entityId: app.id,
    ...changedFields(null, { keyId: issued.key.id, scopes: app.scopes }),
  });
  return issued;
}

/** An app counts as installed until its token is revoked or expires. */
async function refuseInstalled(trx: Db, { tenantId, now }: ActionContext, { id }: App): Promise<void> {
  const installed = await lockAppInstall(trx, tenantId, id);
  if (!installed) return;
  const working = await listAppKeys(trx, tenantId, now);
  if (working.some(({ app }) => app === id)) throw installedAlready();
  await removeAppInstall(trx, installed, now);
}

/** A token that a key installs has the bounds of that key, since the installer is not asked for any. */
function tokenFor({ principal, now }: ActionContext, app: App, { requireExpiry, maxLifetimeDays }: Policy): NewKey {
  const needsEnd = requireExpiry || maxLifetimeDays !== null;
  const days = Math.min(maxLifetimeDays ?? LONGEST_DAYS, LONGEST_DAYS);
  const free = {
    expiresAt: needsEnd ? now + days * DAY_MS : null,
    allowedIps: [],
    rateLimit: null,
    monthlyQuota: null,
  };
  const { name, description, scopes } = app;
  const token = NewKey.parse({ name, description: description.en, scopes });
  const { allowedIps, ...bounds } = principal?.type === 'api_key' ? narrowToBounds(principal.bounds, free) : free;
  return { ...token, ...bounds, allowedIps: [...allowedIps] };
}

function installedAlready(cause?: unknown): AppError {
  return new AppError('conflict', 'app_installed', { cause });
}
