import type { Db } from '../../../db/connection/connect.ts';
import { countApiKeys, listApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import type { LifetimeRules, Policy } from '../../domain/policy.ts';
import type { Texts } from '../../locales/texts.ts';

/** The fields of the form, in its order. */
export const POLICY_FIELDS = [
  'maxLifetimeDays',
  'requireExpiry',
  'idleDays',
  'maxGraceSeconds',
  'defaultScopes',
  'allowedNetworks',
  'defaultRateLimit',
  'keysMayManageKeys',
  'allowBearerKeys',
  'leakAction',
  'enforceOnExisting',
] as const;

/** The fields of the policy form as text; an unticked box is missing. */
export type PolicyFields = Readonly<Record<string, string>>;

/** The policy as the form shows it. */
export function policyFields(policy: Policy): PolicyFields {
  return {
    maxLifetimeDays: String(policy.maxLifetimeDays ?? ''),
    idleDays: String(policy.idleDays ?? ''),
    maxGraceSeconds: String(policy.maxGraceSeconds),
    defaultScopes: policy.defaultScopes.join('\n'),
    allowedNetworks: policy.allowedNetworks.join('\n'),
    limit: String(policy.defaultRateLimit?.limit ?? ''),
    windowSeconds: String(policy.defaultRateLimit?.windowSeconds ?? ''),
    leakAction: policy.leakAction,
    ...(policy.requireExpiry && { requireExpiry: 'on' }),
    ...(policy.enforceOnExisting && { enforceOnExisting: 'on' }),
    ...(policy.keysMayManageKeys && { keysMayManageKeys: 'on' }),
    ...(policy.allowBearerKeys && { allowBearerKeys: 'on' }),
  };
}

/** The change that the form asks for, in the shape that the API's parser reads. */
export function policyChangeIn(form: URLSearchParams): Record<string, unknown> {
  const rate = { limit: numberIn(form, 'limit'), windowSeconds: numberIn(form, 'windowSeconds') };
  return {
    maxLifetimeDays: numberIn(form, 'maxLifetimeDays'),
    requireExpiry: form.has('requireExpiry'),
    idleDays: numberIn(form, 'idleDays'),
    maxGraceSeconds: numberIn(form, 'maxGraceSeconds'),
    defaultScopes: wordsIn(form, 'defaultScopes'),
    allowedNetworks: wordsIn(form, 'allowedNetworks'),
    defaultRateLimit: rate.limit === null && rate.windowSeconds === null ? null : rate,
    keysMayManageKeys: form.has('keysMayManageKeys'),
    allowBearerKeys: form.has('allowBearerKeys'),
    leakAction: form.get('leakAction'),
    enforceOnExisting: form.has('enforceOnExisting'),
  };
}

/** Keys whose names the page lists; of others it says how many there are. */
const MOST_NAMED = 10;
const MOST_COUNTED = 1_000;

/** The keys that break the lifetime rules of a policy: how many, and the first of them by name. */
export async function breakingKeys(db: Db, tenantId: string, rules: LifetimeRules, now: number) {
  const page = { sort: 'name', descending: false, offset: 0, limit: MOST_NAMED } as const;
  const filter = { attention: 'breaking', rules, now } as const;
  const [count, keys] = await Promise.all([
    countApiKeys(db, tenantId, filter, MOST_COUNTED + 1),
    listApiKeys(db, tenantId, filter, page),
  ]);
  return { count, names: keys.map(({ name }) => name), more: Math.max(0, count - keys.length) };
}
export type BreakingKeys = Awaited<ReturnType<typeof breakingKeys>>;

/** The breaking keys in a sentence: `Nightly export, Order sync and 3 more`. */
export function namedKeys({ names, more }: BreakingKeys, { t, joined }: Texts): string {
  return joined(more > 0 ? [...names, t('security.more_keys', { count: more })] : names);
}

/** An empty field is null; text that is no whole number is returned as it is, for the parser to refuse. */
function numberIn(form: URLSearchParams, name: string): number | string | null {
  const text = form.get(name)?.trim() ?? '';
  if (text === '') return null;
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function wordsIn(form: URLSearchParams, name: string): string[] {
  return (form.get(name) ?? '').split(/[\s,]+/).filter((word) => word !== '');
}
