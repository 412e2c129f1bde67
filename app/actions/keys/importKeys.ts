import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { insertAuditLogs } from '../../../db/tables/auditLogs.ts';
import { findKeysByHash, insertApiKeys, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { insertScopesOfKeys } from '../../../db/tables/keys/apiKeyScopes.ts';
import { findSetting, replaceSetting } from '../../../db/tables/installationSettings.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import type { ImportedKey } from '../../domain/importedKey.ts';
import type { Policy } from '../../domain/policy.ts';
import { AppError, type FieldError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { auditLogOf } from '../auditRecord.ts';
import { findCatalogue, shareCatalogue, unknownScopes } from '../grantableScopes.ts';
import {
  findPolicy,
  refuseBeyondOwnBounds,
  refuseExpiry,
  refuseKeysBeyondPlan,
  refuseToGrantBeyondOwnScopes,
  requireKeysMayManageKeys,
  type GrantingContext,
} from './keyRules.ts';
import { auditedFields, newKeyState } from './storedKey.ts';

/** A line as it was read: the fields of a key, or what is wrong with them. */
export type LineToImport = { line: number } & ({ key: ImportedKey } | { errors: readonly FieldError[] });

/** What became of a line: `present` is a key that was imported before, which is left as it is. */
export interface ImportedLine {
  line: number;
  outcome: 'imported' | 'present' | 'refused';
  /** The key's id; absent for a refused line, and for one that would only be imported. */
  id?: string;
  errors?: readonly FieldError[];
}

/** How to import: only to see what would happen, or with what is good where some lines are refused. */
export interface ImportOptions {
  dryRun: boolean;
  skipBad: boolean;
}

/**
 * Imports keys by the hashes of their texts, all of them or, where a line is refused, none unless `skipBad`. A key that is
 * there already stays as it is, so that a second run changes nothing. The limits of the caller, the policy and the plan
 * hold as for new keys.
 */
export async function importKeys(
  act: ActionContext,
  lines: readonly LineToImport[],
  { dryRun, skipBad }: ImportOptions,
): Promise<ImportedLine[]> {
  try {
    return await transaction(act.db, async (trx) => {
      const policy = await findPolicy(trx, act.tenantId);
      requireKeysMayManageKeys(act, policy);
      const present = await presentKeys(trx, lines);
      // Only who stores keys keeps others from taking their scopes away meanwhile.
      const catalogue = await (dryRun ? findCatalogue(trx) : shareCatalogue(trx));
      const granting = { ...act, catalogue };
      const judged = judgedLines(granting, policy, lines, present);
      const isRefused = judged.some(({ done }) => done.outcome === 'refused');
      if (dryRun || (isRefused && !skipBad)) return judged.map(({ done }) => done);
      const keys = judged.map(({ toStore }) => toStore && keyOf(granting, policy, toStore));
      await storeImported(
        trx,
        act,
        keys.filter((key) => key !== undefined),
      );
      return judged.map(({ done }, at) => ({ ...done, ...(keys[at] && { id: keys[at].id }) }));
    });
  } catch (error) {
    // Another process imported the same keys at the same moment.
    throw isDuplicate(error) ? new AppError('conflict', 'imported_meanwhile', { cause: error }) : error;
  }
}

/** The keys that were imported before, by their hash. */
type Present = ReadonlyMap<string, { id: string; tenantId: string }>;

async function presentKeys(trx: Db, lines: readonly LineToImport[]): Promise<Present> {
  const hashes = lines.flatMap((line) => ('key' in line ? [line.key.hash] : []));
  const found = await findKeysByHash(trx, hashes);
  return new Map(found.map(({ hash, ...key }) => [hash.toString('hex'), key]));
}

/** What becomes of a line, and what to store as a new key. */
interface Judged {
  done: ImportedLine;
  toStore?: ImportedKey;
}

function judgedLines(act: GrantingContext, policy: Policy, lines: readonly LineToImport[], present: Present): Judged[] {
  const earlier = new Set<string>();
  return lines.map((read): Judged => {
    const { line } = read;
    const refused = (errors: readonly FieldError[]): Judged => ({ done: { line, outcome: 'refused', errors } });
    if ('errors' in read) return refused(read.errors);
    const hash = read.key.hash.toString('hex');
    if (earlier.has(hash)) return refused([{ path: 'hash', problem: { key: 'hash_of_earlier_line' } }]);
    earlier.add(hash);
    const known = present.get(hash);
    if (known && known.tenantId !== act.tenantId) return refused([{ path: 'hash', problem: { key: 'hash_in_use' } }]);
    if (known) return { done: { line, outcome: 'present', id: known.id } };
    const errors = refusalOf(act, policy, read.key);
    if (errors) return refused(errors);
    return { done: { line, outcome: 'imported' }, toStore: read.key };
  });
}

/** Why the key may not be imported, by the rules for new keys; undefined where it may. */
function refusalOf(act: GrantingContext, policy: Policy, key: ImportedKey): readonly FieldError[] | undefined {
  try {
    const { scopes, ...bounds } = valuesOf(act, policy, key);
    if (scopes.length === 0) return [{ path: 'scopes', problem: { key: 'required' } }];
    const unknown = unknownScopes(act.catalogue, 'scopes', scopes);
    if (unknown.length > 0) return unknown;
    refuseToGrantBeyondOwnScopes(act, scopes);
    refuseBeyondOwnBounds(act, bounds);
    refuseExpiry(policy, bounds.expiresAt, act.now, act.now);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return error.errors ?? [{ path: '', problem: error.problem }];
  }
}

function valuesOf({ catalogue }: GrantingContext, policy: Policy, key: ImportedKey) {
  return {
    // Scopes that the policy gives by default may have left the catalogue since.
    scopes: key.scopes ?? policy.defaultScopes.filter((scope) => catalogue.isKnown(scope)),
    expiresAt: key.expiresAt ?? null,
    allowedIps: key.allowedIps ?? [],
    rateLimit: key.rateLimit ?? null,
    monthlyQuota: key.monthlyQuota ?? null,
  };
}

function keyOf(act: GrantingContext, policy: Policy, key: ImportedKey): ApiKey & { hash: Buffer } {
  return {
    id: newId(act.now),
    tenantId: act.tenantId,
    userId: null,
    keyPrefix: key.prefix,
    lastFour: key.lastFour,
    name: key.name,
    description: key.description ?? null,
    environment: key.environment,
    ...valuesOf(act, policy, key),
    externalId: key.externalId ?? null,
    metadata: key.metadata ?? {},
    app: null,
    previousKeyId: null,
    ...newKeyState(act),
    importedAt: act.now,
    hash: key.hash,
  };
}

async function storeImported(trx: Db, act: ActionContext, keys: readonly (ApiKey & { hash: Buffer })[]): Promise<void> {
  if (keys.length === 0) return;
  await refuseKeysBeyondPlan(trx, act, keys.length);
  // Before the keys, so that no process can find one of them and take its text for garbage for longer than it must.
  if ((await findSetting(trx, 'foreign_keys')).value === null)
    await replaceSetting(trx, 'foreign_keys', 'true', act.now);
  await insertApiKeys(trx, keys);
  await insertScopesOfKeys(trx, keys);
  await insertAuditLogs(
    trx,
    keys.map((key) =>
      auditLogOf(act, {
        action: 'API_KEY_IMPORTED',
        entityId: key.id,
        ...changedFields(null, { ...auditedFields(key), scopes: key.scopes, environment: key.environment }),
      }),
    ),
  );
}
