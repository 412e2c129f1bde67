import type { Db } from '../../../db/connection/connect.ts';
import { countApiKeys, listApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import type { LifetimeRules, Policy } from '../../domain/policy.ts';
import { windowText } from '../keys/keyForm.ts';
import type { AppError } from '../../errors.ts';
import type { FormErrors } from '../shell/formErrors.ts';
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

/** The fields of the policy form as text; an unticked box is missing, and scopes stand beside each other. */
export type PolicyFields = Readonly<Record<string, string>>;

/** The policy as the form shows it. */
export function policyFields(policy: Policy): PolicyFields {
  const grace = inLargestUnit(policy.maxGraceSeconds);
  return {
    maxLifetimeDays: String(policy.maxLifetimeDays ?? ''),
    idleDays: String(policy.idleDays ?? ''),
    maxGrace: String(grace.count),
    graceUnit: String(grace.unit),
    defaultScopes: policy.defaultScopes.join(' '),
    allowedNetworks: policy.allowedNetworks.join('\n'),
    limit: String(policy.defaultRateLimit?.limit ?? ''),
    windowSeconds: String(policy.defaultRateLimit?.windowSeconds ?? 60),
    leakAction: policy.leakAction,
    ...(policy.requireExpiry && { requireExpiry: 'on' }),
    ...(policy.enforceOnExisting && { enforceOnExisting: 'on' }),
    ...(policy.keysMayManageKeys && { keysMayManageKeys: 'on' }),
    ...(policy.allowBearerKeys && { allowBearerKeys: 'on' }),
  };
}

/** The fields as they were submitted; a field that was sent several times is one text of all of them. */
export function submittedFields(form: URLSearchParams): PolicyFields {
  return Object.fromEntries([...form.keys()].map((name) => [name, form.getAll(name).join(' ')]));
}

/** The change that the form asks for, in the shape that the API's parser reads. */
export function policyChangeIn(fields: PolicyFields): Record<string, unknown> {
  const limit = numberIn(fields, 'limit');
  return {
    maxLifetimeDays: numberIn(fields, 'maxLifetimeDays'),
    requireExpiry: 'requireExpiry' in fields,
    idleDays: numberIn(fields, 'idleDays'),
    maxGraceSeconds: graceIn(fields),
    defaultScopes: wordsIn(fields, 'defaultScopes'),
    allowedNetworks: wordsIn(fields, 'allowedNetworks'),
    defaultRateLimit: limit === null ? null : { limit, windowSeconds: numberIn(fields, 'windowSeconds') },
    keysMayManageKeys: 'keysMayManageKeys' in fields,
    allowBearerKeys: 'allowBearerKeys' in fields,
    leakAction: fields.leakAction,
    enforceOnExisting: 'enforceOnExisting' in fields,
  };
}

/** The units of the overlap at a rotation, in seconds. */
const GRACE_UNITS = [86_400, 3_600, 60, 1];

/** The largest unit in which a number of seconds is a whole number. */
function inLargestUnit(seconds: number): { count: number; unit: number } {
  const unit = GRACE_UNITS.find((size) => seconds > 0 && seconds % size === 0) ?? 3_600;
  return { count: seconds / unit, unit };
}

/** The units as choices of the form. */
export function graceUnits({ t }: Texts) {
  return GRACE_UNITS.toReversed().map((unit) => ({ value: String(unit), label: t(`settings.unit_${unit}`) }));
}

function graceIn(fields: PolicyFields): unknown {
  const count = numberIn(fields, 'maxGrace');
  const unit = GRACE_UNITS.find((size) => String(size) === fields.graceUnit);
  return typeof count === 'number' && unit !== undefined ? count * unit : (count ?? '');
}

/** The same errors in the words of the form, where the parser's describe what only API clients send. */
export function inWordsOfForm(refused: FormErrors, { errors = [] }: AppError, { t }: Texts): FormErrors {
  const problems = { ...refused.problems };
  for (const { path, problem } of errors) {
    if (path === 'maxGraceSeconds' && problem.key === 'number_too_big') problems[path] = t('settings.problem_grace');
    if (path === 'defaultScopes' && problem.key === 'list_too_short') problems[path] = t('keys.problem_no_scope');
  }
  const fields = refused.fields.map((one) => ({ ...one, problem: problems[one.field] ?? one.problem }));
  return { ...refused, problems, fields };
}

/** The policy in words, for those who may read and not change it: the groups of the form, each with its facts. */
export function policyFacts(policy: Policy, { t, joined, number }: Texts, fallbackRate: string) {
  const yesNo = (value: boolean) => t(value ? 'settings.yes' : 'settings.no');
  const days = (value: number | null) => (value === null ? t('settings.no_limit') : t('keys.days', { days: value }));
  const grace = inLargestUnit(policy.maxGraceSeconds);
  const rate = policy.defaultRateLimit;
  const facts = {
    life: {
      maxLifetimeDays: days(policy.maxLifetimeDays),
      requireExpiry: yesNo(policy.requireExpiry),
      enforceOnExisting: yesNo(policy.enforceOnExisting),
      idleDays: days(policy.idleDays),
      maxGraceSeconds: `${number(grace.count)}\u00a0${t(`settings.unit_${grace.unit}`)}`,
    },
    reach: {
      defaultScopes: joined(policy.defaultScopes),
      allowedNetworks: policy.allowedNetworks.join(', ') || t('keys.anywhere'),
      defaultRateLimit: rate
        ? `${number(rate.limit)} ${t('keys.requests_in')} ${windowText(String(rate.windowSeconds), t)}`
        : fallbackRate,
    },
    use: {
      allowBearerKeys: yesNo(policy.allowBearerKeys),
      keysMayManageKeys: yesNo(policy.keysMayManageKeys),
      leakAction: `${t(`settings.leak_${policy.leakAction}`)} (${t(`settings.leak_${policy.leakAction}_hint`)})`,
    },
  };
  return Object.entries(facts).map(([group, values]) => ({
    title: t(`settings.group_${group}`),
    facts: Object.entries<string>(values).map(([field, value]) => ({ label: t(`settings.${field}`), value })),
  }));
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
  return joined(more > 0 ? [...names, t('settings.more_keys', { count: more })] : names);
}

/** An empty field is null; text that is no whole number is returned as it is, for the parser to refuse. */
function numberIn(fields: PolicyFields, name: string): number | string | null {
  const text = fields[name]?.trim() ?? '';
  if (text === '') return null;
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function wordsIn(fields: PolicyFields, name: string): string[] {
  return (fields[name] ?? '').split(/[\s,]+/).filter((word) => word !== '');
}
