import { transaction, type Db } from '../../../db/connection/connect.ts';
import { insertApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { insertKeyScopes } from '../../../db/tables/keys/apiKeyScopes.ts';
import { lockMembership } from '../../../db/tables/people/memberships.ts';
import { insertSentForm } from '../../../db/tables/sentForms.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import type { NewKey } from '../../domain/keyInput.ts';
import type { Policy } from '../../domain/policy.ts';
import { hashKey, mintKey, type KeyStyle } from '../../domain/token.ts';
import { AppError } from '../../errors.ts';
import type { Act } from '../act.ts';
import { refuseBeyondOwnBounds, refuseKeysUnlessAllowed, refuseToGrantBeyondOwnScopes } from './keyAuthority.ts';
import { invalidField, refuseExpiry } from './keyExpiry.ts';
import { policyOf } from './keyPolicy.ts';
import { auditedFields } from './auditedFields.ts';
import { refuseBeyondPlan } from './planLimit.ts';
import { recordAuditEvent } from '../auditRecord.ts';

const DAY_MS = 86_400_000;

/** A stored key with its text, which nobody can ever read again. */
export interface IssuedKey {
  key: ApiKey;
  text: string;
}

/** What a key is made of, the text by which it is known aside. */
export type NewKeyValues = Omit<ApiKey, 'keyPrefix' | 'lastFour'>;

/** Makes a key within the tenant's policy and the caller's own reach. */
export async function issueKey(act: Act, style: KeyStyle, wish: NewKey): Promise<IssuedKey> {
  return transaction(act.db, async (trx) => {
    const policy = await policyOf(trx, act.tenantId);
    refuseKeysUnlessAllowed(act, policy);
    return issueKeyWithin(trx, act, style, policy, wish);
  });
}

/** The same as a part of something larger that has read the policy, such as the installation of an app. */
export async function issueKeyWithin(
  trx: Db,
  act: Act,
  style: KeyStyle,
  policy: Policy,
  wish: NewKey,
  app: string | null = null,
): Promise<IssuedKey> {
  const scopes = wish.scopes ?? policy.defaultScopes;
  refuseToGrantBeyondOwnScopes(act, scopes);
  const expiresAt = wish.expiresAt ?? (wish.expiresInDays ? act.now + wish.expiresInDays * DAY_MS : null);
  const bounded = {
    expiresAt,
    allowedIps: wish.allowedIps ?? [],
    rateLimit: wish.rateLimit ?? null,
    monthlyQuota: wish.monthlyQuota ?? null,
  };
  refuseBeyondOwnBounds(act, bounded, wish.expiresInDays ? { expiresAt: 'expiresInDays' } : {});
  refuseExpiry(policy, expiresAt, act.now, act.now);
  await refuseBeyondPlan(trx, act);
  const issued = await storeNewKey(trx, act, style, {
    id: newId(act.now),
    tenantId: act.tenantId,
    userId: wish.owner === 'user' ? await ownerOf(trx, act) : null,
    name: wish.name,
    description: wish.description ?? null,
    environment: wish.environment,
    scopes,
    ...bounded,
    externalId: wish.externalId ?? null,
    metadata: wish.metadata ?? {},
    app,
    previousKeyId: null,
    ...newKeyState(act),
  });
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_CREATED',
    entityId: issued.key.id,
    ...changedFields(null, { ...auditedFields(issued.key), scopes, environment: wish.environment, owner: wish.owner }),
  });
  return issued;
}

/** Mints the text of a key and stores all but the text; a form that has made one already makes no second. */
export async function storeNewKey(
  trx: Db,
  { actor, formId, now }: Act,
  style: KeyStyle,
  matter: NewKeyValues,
): Promise<IssuedKey> {
  const { key: text, keyPrefix, lastFour } = mintKey(style, matter.environment);
  const key = { ...matter, keyPrefix, lastFour };
  if (formId !== undefined && actor.id !== null) {
    await insertSentForm(trx, { userId: actor.id, formId, keyId: key.id, createdAt: now });
  }
  await insertApiKey(trx, key, hashKey(text));
  await insertKeyScopes(trx, key);
  return { key, text };
}

/** The part of a key's life that has not happened yet. */
export function newKeyState({ actor, now }: Act) {
  return {
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
  };
}

/**
 * Whose key it becomes: a person's own, or through their key the same person's. They are held as a member meanwhile, so
 * that their removal finds the key.
 */
async function ownerOf(trx: Db, { principal, tenantId }: Act): Promise<string> {
  const id = principal?.type === 'user' ? principal.id : principal?.owner?.id;
  if (id === undefined) throw invalidField('owner', 'own_key_takes_a_person');
  if (await lockMembership(trx, tenantId, id)) return id;
  throw new AppError('insufficient_permission', 'own_key_takes_a_member');
}
