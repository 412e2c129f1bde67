import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isUnavailable } from '../../../db/connection/faults.ts';
import { changeableColumns, CHOSEN_FIELDS, shownFields } from '../../../db/tables/keys/apiKeyFields.ts';
import { insertApiKey, lockApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { insertKeyScopes } from '../../../db/tables/keys/apiKeyScopes.ts';
import { whyEnded } from '../../domain/keyStatus.ts';
import type { Policy } from '../../domain/policy.ts';
import { hashKey, mintKey, type KeyStyle } from '../../domain/token.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { findCatalogue } from '../grantableScopes.ts';
import { findPolicy, requireKeysMayManageKeys, type GrantingContext } from './keyRules.ts';

/** A stored key with its text, which is never stored and can be shown only now. */
export interface IssuedKey {
  key: ApiKey;
  text: string;
}

/** All columns of a new key but those that come from its text. */
export type NewKeyValues = Omit<ApiKey, 'keyPrefix' | 'lastFour'>;

/** For each database, the last unfinished change of each key; the next change of that key waits for it. */
const lastChangesByDatabase = new WeakMap<Db, Map<string, Promise<unknown>>>();

/**
 * Runs a change of one key in a transaction that has read the tenant's policy, and refuses callers that may not change
 * keys. Changes of the same key queue before they take a connection: otherwise many of them would hold connections only
 * to wait for each other's row lock.
 */
export async function changeKey<T>(
  act: ActionContext,
  id: string,
  work: (trx: Db, policy: Policy) => Promise<T>,
): Promise<T> {
  return changeKeyUnderAnyPolicy(act, id, async (trx) => {
    const policy = await findPolicy(trx, act.tenantId);
    requireKeysMayManageKeys(act, policy);
    return work(trx, policy);
  });
}

/** Runs a change that a key may make to itself whatever the policy says, in the same queue and transaction. */
export async function changeKeyUnderAnyPolicy<T>(
  act: ActionContext,
  id: string,
  work: (trx: Db) => Promise<T>,
): Promise<T> {
  return runAfterEarlier(lastChangesOf(act.db), `${act.tenantId} ${id}`, async () => transaction(act.db, work));
}

function lastChangesOf(db: Db): Map<string, Promise<unknown>> {
  const lastChanges = lastChangesByDatabase.get(db) ?? new Map<string, Promise<unknown>>();
  lastChangesByDatabase.set(db, lastChanges);
  return lastChanges;
}

async function runAfterEarlier<T>(
  lastChanges: Map<string, Promise<unknown>>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const earlier = lastChanges.get(key) ?? Promise.resolve();
  const result = earlier.then(work, async (error: unknown) => {
    // If each queued change tried an unavailable database again, the last would wait for the timeouts of all of them.
    if (isUnavailable(error)) throw error;
    return work();
  });
  lastChanges.set(key, result);
  try {
    return await result;
  } finally {
    if (lastChanges.get(key) === result) lastChanges.delete(key);
  }
}

/** A locked key, and the act with its time moved after the last change of the key, and with the catalogue of scopes. */
export interface LockedKey {
  key: ApiKey;
  act: GrantingContext;
}

/**
 * Locks the tenant's key until the transaction ends; a key of another tenant is not found. The time of the act is moved
 * on because requests wait for locks and clocks differ: an act that waited for a rotation must find the old key ended.
 */
export async function lockKey(trx: Db, act: ActionContext | GrantingContext, id: string): Promise<LockedKey> {
  const key = await lockApiKey(trx, act.tenantId, id);
  if (!key) throw new AppError('not_found', 'no_such_key');
  const catalogue = 'catalogue' in act ? act.catalogue : await findCatalogue(trx);
  return { key, act: { ...act, catalogue, now: Math.max(act.now, key.updatedAt) } };
}

/** Whether a rotation replaced the key and its grace period has ended. */
export function isRotatedAway({ key, act }: LockedKey): boolean {
  return key.revokedAt === null && key.successorKeyId !== null && whyEnded(key, act.now) !== undefined;
}

/** Locks the key of this id, or its live successor where the key was rotated and its grace period has ended. */
export async function lockLiveKey(trx: Db, act: ActionContext, id: string): Promise<LockedKey> {
  const locked = await lockKey(trx, act, id);
  const { successorKeyId } = locked.key;
  return successorKeyId !== null && isRotatedAway(locked) ? lockLiveKey(trx, locked.act, successorKeyId) : locked;
}

/** Locks the key of this id and never its successor, for a person who saw this key on a page; 409 if its grace has ended. */
export async function lockOnlyKey(trx: Db, act: ActionContext, id: string): Promise<LockedKey> {
  const locked = await lockKey(trx, act, id);
  if (isRotatedAway(locked)) throw new AppError('key_not_active', 'key_is_revoked');
  return locked;
}

/**
 * Locks a key and all its successors, the oldest first: a key that was rotated after it was listed has a successor that
 * is not in the list.
 */
export async function lockKeyChain(trx: Db, act: ActionContext, id: string): Promise<LockedKey[]> {
  const chain: LockedKey[] = [];
  for (let next: string | null = id; next !== null;) {
    const locked: LockedKey = await lockKey(trx, chain.at(-1)?.act ?? act, next);
    chain.push(locked);
    next = locked.key.successorKeyId;
  }
  return chain;
}

/** The version of a key: another one after each change, and the same however often the key is used. */
export function versionOfKey(key: ApiKey): string {
  return versionOf(changeableColumns(key));
}

/** Refuses to change a key that has another version than the caller expects. */
export function refuseChangedKey({ key, act }: LockedKey): void {
  refuseChanged(act.expectedVersions, versionOfKey(key));
}

/** Refuses to change a key that is revoked or expired. */
export function refuseInactive({ key, act }: LockedKey): void {
  const reason = whyEnded(key, act.now);
  if (reason) throw new AppError('key_not_active', `key_is_${reason}`);
}

/** Generates the text of a key and stores the key without it. */
export async function storeNewKey(trx: Db, style: KeyStyle, values: NewKeyValues): Promise<IssuedKey> {
  const { key: text, keyPrefix, lastFour } = mintKey(style, values.environment);
  const key = { ...values, keyPrefix, lastFour };
  await insertApiKey(trx, key, hashKey(text));
  await insertKeyScopes(trx, key);
  return { key, text };
}

/** The columns that say what happened to a key, as they are when nothing has. */
export function newKeyState({ actor, now }: ActionContext) {
  return {
    importedAt: null,
    createdBy: actor.id,
    createdAt: now,
    updatedAt: now,
    successorKeyId: null,
    graceEndsAt: null,
    lastUsedAt: null,
    lastUsedIp: null,
    revokedAt: null,
    revokedBy: null,
    revokeReason: null,
    pausedAt: null,
    pausedBy: null,
    pauseReason: null,
    leakReportedAt: null,
  };
}

/** Scopes have an entry of their own in the audit log. */
const AUDITED = CHOSEN_FIELDS.filter((field) => field !== 'scopes');

/** The fields of a key that the audit log keeps, beside its scopes; never the text, hash or prefix of the key. */
export function auditedFields(key: ApiKey): Record<string, unknown> {
  return shownFields(key, AUDITED);
}
