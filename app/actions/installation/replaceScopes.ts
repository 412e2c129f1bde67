import { transaction, type Db } from '../../../db/connection/connect.ts';
import { lockSetting, replaceSetting } from '../../../db/tables/installationSettings.ts';
import { countHolders } from '../../../db/tables/keys/apiKeyScopes.ts';
import { changedFields, shortenFields } from '../../domain/auditEvent.ts';
import { catalogueOf, namesLost, productScopesOf, storedPart, type ProductScope } from '../../domain/productScopes.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** A scope with the number of keys that hold it. */
export interface HeldScope {
  scope: string;
  keys: number;
}

/** More keys than any installation has: these counts are exact. */
const ALL = 1_000_000_000;

/**
 * Replaces the scopes of the product, in every process once this returns. Names that keys hold go only by force; the answer
 * says which of them keys hold still.
 */
export async function replaceScopes(
  act: ActionContext,
  scopes: readonly ProductScope[],
  { force, sampleProduct }: { force: boolean; sampleProduct: boolean },
): Promise<{ scopes: readonly ProductScope[]; revision: string; stillHeld: HeldScope[] }> {
  return transaction(act.db, async (trx) => {
    const before = await lockSetting(trx, 'scopes');
    refuseChanged(act.expectedVersions, before.revision);
    const value = storedPart(sampleProduct, scopes);
    if (value === before.value) return { scopes, revision: before.revision, stillHeld: [] };
    const stillHeld = await heldNames(trx, before.value, value);
    if (stillHeld.length > 0 && !force) throw inUse(stillHeld);
    const revision = await replaceSetting(trx, 'scopes', value, act.now);
    await recordScopesChange(trx, act, before.value, value);
    return { scopes, revision, stillHeld };
  });
}

/** The names that keys hold and that cannot be granted after the change any more. */
export async function heldNames(trx: Db, before: string | null, after: string): Promise<HeldScope[]> {
  const lost = namesLost(catalogueOf(before), catalogueOf(after));
  return (await countHolders(trx, lost, ALL)).sort((a, b) => b.keys - a.keys);
}

/** Tells the audit log the entries that are gone, new or changed. */
export async function recordScopesChange(
  trx: Db,
  act: Pick<ActionContext, 'actor' | 'origin' | 'now'> & { tenantId: string | null },
  before: string | null,
  after: string,
): Promise<void> {
  const [earlier, later] = [productScopesOf(before), productScopesOf(after)];
  const known = (list: readonly ProductScope[]) => new Set(list.map((entry) => JSON.stringify(entry)));
  const [knownEarlier, knownLater] = [known(earlier), known(later)];
  const gone = earlier.filter((entry) => !knownLater.has(JSON.stringify(entry)));
  const added = later.filter((entry) => !knownEarlier.has(JSON.stringify(entry)));
  const names = (list: readonly ProductScope[]) => list.map(({ scope }) => scope);
  await recordAuditEvent(trx, act, {
    action: 'SCOPES_CHANGED',
    entityId: null,
    ...shortenFields(changedFields({ scopes: names(gone) }, { scopes: names(added) })),
  });
}

function inUse(held: readonly HeldScope[]): AppError {
  return new AppError('scopes_in_use', 'scopes_in_use', {
    errors: held.map(({ scope, keys }) => ({
      path: 'scopes',
      problem: { key: 'scope_in_use', values: { scope, keys } },
    })),
  });
}
