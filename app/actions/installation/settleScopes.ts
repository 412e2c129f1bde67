import { transaction, type Db } from '../../../db/connection/connect.ts';
import { lockSetting, replaceSetting } from '../../../db/tables/installationSettings.ts';
import { ConfigError, type Config } from '../../config.ts';
import { productScopesInput, readPart, storedPart, type ProductScope } from '../../domain/productScopes.ts';
import type { Log } from '../../log.ts';
import { systemContext } from '../actionContext.ts';
import { heldNames, recordScopesChange } from './replaceScopes.ts';

/**
 * Makes the stored catalogue say what this start was told: whether the sample product is served, and the scopes of
 * SCOPES_FILE where there is one. Keys that hold what is gone keep it, and the log says so.
 */
export async function settleScopes(
  { db, config, log }: { db: Db; config: Pick<Config, 'sampleProduct'>; log: Pick<Log, 'info' | 'warn'> },
  fromFile: readonly ProductScope[] | undefined,
): Promise<void> {
  const { sampleProduct } = config;
  const stillHeld = await transaction(db, async (trx) => {
    const before = await lockSetting(trx, 'scopes');
    const stored = readPart(before.value);
    const scopes = fromFile ?? stored.scopes;
    if (fromFile === undefined && stored.sampleProduct === sampleProduct) return undefined;
    if (sampleProduct && !productScopesInput(true).safeParse({ scopes: scopes ?? [] }).success) {
      throw new ConfigError('SAMPLE_PRODUCT is on, and the scopes of this installation use names of it: set it to off');
    }
    const value = storedPart(sampleProduct, scopes);
    if (value === (before.value ?? storedPart(true, null))) return undefined;
    const held = await heldNames(trx, before.value, value);
    const act = systemContext(trx, '');
    await replaceSetting(trx, 'scopes', value, act.now);
    await recordScopesChange(trx, { ...act, tenantId: null }, before.value, value);
    return held;
  });
  if (stillHeld) log.info({ sampleProduct, file: fromFile !== undefined }, 'the scopes of the product have changed');
  for (const { scope, keys } of stillHeld ?? []) {
    log.warn({ scope, keys }, 'keys hold a scope that is not in the catalogue any more');
  }
}
