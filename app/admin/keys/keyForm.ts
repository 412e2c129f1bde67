import type { ApiKey, ChosenField } from '../../../db/tables/keys/apiKeyFields.ts';
import { normaliseScope } from '../../domain/scope.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { Policy } from '../../domain/policy.ts';
import { iso } from '../../domain/times.ts';
import type { Problem, ProblemKey } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';
import type { Texts } from '../../locales/texts.ts';

/** The fields of the key form as text. */
export interface KeyFields {
  name: string;
  description: string;
  scopes: string[];
  environment: string;
  expires: string;
  expiresOn: string;
  allowedIps: string;
  rateLimit: string;
  rateWindow: string;
  monthlyQuota: string;
  owner: string;
  externalId: string;
  /** A JSON object, or nothing. */
  metadata: string;
}

/** The fields in the order of the form. */
export const FIELDS = [
  'name',
  'description',
  'scopes',
  'environment',
  'expires',
  'allowedIps',
  'rateLimit',
  'monthlyQuota',
  'owner',
  'externalId',
  'metadata',
] as const;
/** The fields in the section of limits, folded at first. */
const LIMIT_FIELDS = ['allowedIps', 'rateLimit', 'monthlyQuota'] as const satisfies Field[];
/** The fields in the section "More", folded at first. */
const ADVANCED_FIELDS = ['owner', 'externalId', 'metadata'] as const satisfies Field[];
export type Field = (typeof FIELDS)[number];
/** The problem of each field, and of the form as a whole. */
export type Problems = Partial<Record<Field | 'form', string>>;

export const METADATA_EXAMPLE = '{"team": "billing", "seats": 5}';

const DAY_MS = 86_400_000;
const EXPIRIES = [7, 30, 90, 365];
const USUAL_DAYS = 90;
/** The window, in seconds, that the form offers for a rate limit at first. */
export const USUAL_RATE_WINDOW = '60';
const DAY = /^\d{4}-\d\d-\d\d$/;

/** The expiry periods that the policy allows. */
export function allowedExpiryDays({ maxLifetimeDays }: Policy): number[] {
  const allowed = EXPIRIES.filter((days) => maxLifetimeDays === null || days <= maxLifetimeDays);
  return allowed.length > 0 ? allowed : [maxLifetimeDays ?? USUAL_DAYS];
}

/** Whether the policy allows a key without expiry. */
export function allowsNoExpiry({ requireExpiry, maxLifetimeDays }: Policy): boolean {
  return !requireExpiry && maxLifetimeDays === null;
}

/** The fields of a new key, prefilled from the address: `?name=&scopes=&expires=`. */
export function newKeyFields(querystring: string, policy: Policy, catalogue: ScopeCatalogue): KeyFields {
  const query = new URLSearchParams(querystring);
  const asked = (query.get('scopes') ?? '').split(/[\s,]+/).map((text) => normaliseScope(text) ?? '');
  const known = [...new Set(asked)].filter((scope) => catalogue.isKnown(scope));
  const days = allowedExpiryDays(policy);
  const expires = query.get('expires') ?? '';
  const isChoice = days.map(String).includes(expires) || (expires === 'never' && allowsNoExpiry(policy));
  return {
    ...EMPTY,
    name: query.get('name') ?? '',
    scopes: known.length > 0 ? known : policy.defaultScopes.filter((scope) => catalogue.isKnown(scope)),
    environment: 'live',
    expires: isChoice ? expires : DAY.test(expires) ? 'custom' : String(usualDays(days)),
    expiresOn: DAY.test(expires) ? expires : '',
  };
}

/** The fields of an existing key. */
export function fieldsOfKey(key: ApiKey): KeyFields {
  return {
    name: key.name,
    description: key.description ?? '',
    scopes: [...key.scopes],
    environment: key.environment,
    expires: 'keep',
    expiresOn: iso(key.expiresAt)?.slice(0, 10) ?? '',
    allowedIps: key.allowedIps.join('\n'),
    rateLimit: key.rateLimit ? String(key.rateLimit.limit) : '',
    rateWindow: key.rateLimit ? String(key.rateLimit.windowSeconds) : USUAL_RATE_WINDOW,
    monthlyQuota: key.monthlyQuota === null ? '' : String(key.monthlyQuota),
    owner: key.userId === null ? 'tenant' : 'user',
    externalId: key.externalId ?? '',
    metadata: Object.keys(key.metadata).length === 0 ? '' : JSON.stringify(key.metadata, null, 2),
  };
}

/** The fields of a new key like another one, which lives as long as that one was to live. */
export function fieldsLikeKey(key: ApiKey, policy: Policy, now: number, { t }: Pick<Texts, 't'>): KeyFields {
  return {
    ...fieldsOfKey(key),
    ...expiryLike(key, policy, now),
    name: Array.from(t('keys.copy_name', { name: key.name }))
      .slice(0, LONGEST_NAME)
      .join(''),
  };
}

const LONGEST_NAME = 100;

/** The same lifetime as the choice of the form, if there is one, or else as the day on which it ends. */
function expiryLike({ createdAt, expiresAt }: ApiKey, policy: Policy, now: number) {
  const choices = allowedExpiryDays(policy);
  if (expiresAt === null) {
    return { expires: allowsNoExpiry(policy) ? 'never' : String(usualDays(choices)), expiresOn: '' };
  }
  const wanted = Math.max(1, Math.round((expiresAt - createdAt) / DAY_MS));
  const days = Math.min(wanted, policy.maxLifetimeDays ?? wanted);
  if (choices.includes(days)) return { expires: String(days), expiresOn: '' };
  // A key works until the end of its last day, which must not be later than the policy allows.
  const ahead = policy.maxLifetimeDays === null ? days : Math.max(1, days - 1);
  return { expires: 'custom', expiresOn: iso(now + ahead * DAY_MS).slice(0, 10) };
}

function usualDays(choices: readonly number[]): number {
  return choices.includes(USUAL_DAYS) ? USUAL_DAYS : (choices.at(-1) ?? USUAL_DAYS);
}

const EMPTY = {
  name: '',
  description: '',
  expiresOn: '',
  allowedIps: '',
  rateLimit: '',
  rateWindow: USUAL_RATE_WINDOW,
  monthlyQuota: '',
  owner: 'tenant',
  externalId: '',
  metadata: '',
};

/** The fields as they were submitted. */
export function keyFieldsOf(form: URLSearchParams): KeyFields {
  const text = (name: string) => form.get(name) ?? '';
  return {
    name: text('name'),
    description: text('description'),
    scopes: form.getAll('scopes'),
    environment: text('environment'),
    expires: text('expires'),
    expiresOn: text('expiresOn'),
    allowedIps: text('allowedIps'),
    rateLimit: text('rateLimit').trim(),
    rateWindow: text('rateWindow'),
    monthlyQuota: text('monthlyQuota').trim(),
    owner: text('owner'),
    externalId: text('externalId'),
    metadata: text('metadata').trim(),
  };
}

type KeyInput = Record<Exclude<ChosenField, 'expiresAt'>, unknown> & { expiresAt?: unknown };

/** The input for the parsers of app/domain/keyInput.ts, without the fields that cannot be changed later. */
export function keyInputOf(fields: KeyFields, now: number): KeyInput {
  const { name, description, scopes, allowedIps, rateLimit, rateWindow, monthlyQuota, externalId, metadata } = fields;
  return {
    name,
    description: description.trim() === '' ? null : description,
    scopes,
    allowedIps: allowedIps.split(/[\s,]+/).filter((network) => network !== ''),
    rateLimit: rateLimit === '' ? null : { limit: numberIn(rateLimit), windowSeconds: numberIn(rateWindow) },
    monthlyQuota: monthlyQuota === '' ? null : numberIn(monthlyQuota),
    externalId: externalId.trim() === '' ? null : externalId,
    metadata: metadata === '' ? {} : jsonIn(metadata),
    ...expiryIn(fields, now),
  };
}

/** A key that expires on a day works until the end of that day. */
function expiryIn({ expires, expiresOn }: KeyFields, now: number): { expiresAt?: unknown } {
  if (expires === 'keep') return {};
  if (expires === 'never') return { expiresAt: null };
  if (expires === 'custom') return { expiresAt: `${expiresOn}T23:59:59Z` };
  const days = numberIn(expires);
  return { expiresAt: typeof days === 'number' && days <= 3_650 ? iso(now + days * DAY_MS) : expires };
}

/** Text that is no number is returned as it is, for the parser to refuse. */
function numberIn(text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Text that is no JSON is returned as it is, for the parser to refuse. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The problems of a refused form by field; an error that the form cannot correct is thrown on. */
export function keyFormProblems(error: unknown, texts: Texts): Problems {
  if (!(error instanceof AppError)) throw error;
  if (error.code === 'insufficient_permission') return { scopes: texts.pageProblemText(error.problem) };
  if (error.code === 'plan_limit') return { form: texts.pageProblemText(error.problem) };
  if (error.code !== 'invalid_input' || !error.errors) throw error;
  const problems: Problems = {};
  for (const { path, problem } of error.errors) {
    const field = fieldNamed(path.split('.')[0] ?? '');
    problems[field] ??= fieldProblem(field, problem, texts);
  }
  return problems;
}

function fieldNamed(path: string): Field {
  if (path === 'expiresAt' || path === 'expiresInDays') return 'expires';
  return FIELDS.find((field) => field === path) ?? 'name';
}

/** Problems for which the form has a text about the whole number. */
const ABOUT_NUMBERS = new Set<ProblemKey>([
  'must_be_number',
  'must_be_whole_number',
  'number_too_small',
  'number_too_big',
]);

/** The form has its own text where the parser's describes JSON that only API clients send. */
function fieldProblem(field: Field, problem: Problem, { t, pageProblemText }: Texts): string {
  const { key } = problem;
  if (field === 'scopes' && key === 'list_too_short') return t('keys.problem_no_scope');
  if (field === 'expires' && key === 'must_be_moment') return t('keys.problem_no_day');
  if (field === 'rateLimit' && ABOUT_NUMBERS.has(key)) return t('keys.problem_rate');
  if (field === 'monthlyQuota' && ABOUT_NUMBERS.has(key)) return t('keys.problem_quota');
  if (field === 'metadata' && key === 'must_be_object') {
    return t('keys.problem_metadata', { example: METADATA_EXAMPLE });
  }
  if (field === 'owner') return t('keys.problem_owner');
  if (field === 'environment') return t('keys.problem_environment');
  return pageProblemText(problem);
}

interface Option {
  value: string;
  label: string;
}

type FoldedField = (typeof LIMIT_FIELDS | typeof ADVANCED_FIELDS)[number];

/** What is set in a folded field, on one line; empty where nothing is. */
function shortValue(name: FoldedField, fields: KeyFields, { t }: Texts): string {
  if (name === 'owner') return fields.owner === 'user' ? t('keys.owner_is_user') : '';
  const value = fields[name].trim().split(/\s+/).join(' ');
  if (name === 'rateLimit' && value !== '') return `${value} / ${windowText(fields.rateWindow, t)}`;
  return value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
}

const LONGEST_SHOWN = 60;
const WINDOWS = ['1', '60', '3600', '86400'];

/** The time windows of a rate limit, and the chosen one where it is another. */
export function windowOptions(chosen: string, { t }: Pick<Texts, 't'>): Option[] {
  const others = WINDOWS.includes(chosen) || !/^\d{1,9}$/.test(chosen) ? [] : [chosen];
  return [...WINDOWS, ...others].map((value) => ({ value, label: windowText(value, t) }));
}

/** The time window of a rate limit in words. */
export function windowText(seconds: string, t: Texts['t']): string {
  return WINDOWS.includes(seconds) ? t(`keys.per_${seconds}`) : t('keys.per_seconds', { seconds: Number(seconds) });
}

/** The template locals of the key form beside its scopes; `keeps` is the current expiry, which can be kept. */
export function formLocals(
  texts: Texts,
  policy: Policy,
  fields: KeyFields,
  problems: Problems = {},
  keeps?: { expiresAt: number | null },
) {
  const { t, moment } = texts;
  // A problem with a chosen day is shown beside that day.
  const { expires, ...others } = problems;
  const aboutDay = expires !== undefined && fields.expires === 'custom';
  return {
    fields,
    problems: aboutDay ? { ...others, expiresOn: expires } : problems,
    refused: Object.keys(problems).length > 0 && {
      sentence: problems.form ?? '',
      fields: FIELDS.flatMap((field) => {
        const problem = problems[field];
        if (problem === undefined) return [];
        return field === 'expires' && aboutDay
          ? [{ field: 'expiresOn', label: t('keys.expires_on'), problem }]
          : [{ field, label: t(`keys.field_${field}`), problem }];
      }),
    },
    expiries: expiryOptions(),
    limits: folded(LIMIT_FIELDS),
    // Whose a key is can be chosen for a new one only.
    further: folded(ADVANCED_FIELDS.filter((name) => !keeps || name !== 'owner')),
    metadataExample: METADATA_EXAMPLE,
    never: allowsNoExpiry(policy),
    longest: policy.maxLifetimeDays,
    tomorrow: iso(Date.now() + DAY_MS).slice(0, 10),
    windows: windowOptions(fields.rateWindow, texts),
  };

  /** A part of the form that is folded unless something in it is wrong, with what is set in it. */
  function folded(names: readonly FoldedField[]) {
    return {
      open: names.some((name) => problems[name] !== undefined),
      set: names.flatMap((name) => {
        const value = shortValue(name, fields, texts);
        return value === '' ? [] : [t('ui.about', { label: t(`keys.field_${name}`), text: value })];
      }),
    };
  }

  function expiryOptions(): Option[] {
    const kept = keeps && {
      value: 'keep',
      label:
        keeps.expiresAt === null ? t('keys.keep_never') : t('keys.keep_until', { when: moment(keeps.expiresAt).full }),
    };
    return [
      ...(kept ? [kept] : []),
      ...allowedExpiryDays(policy).map((days) => ({ value: String(days), label: t('keys.days', { days }) })),
      { value: 'custom', label: t('keys.expires_custom') },
      ...(allowsNoExpiry(policy) ? [{ value: 'never', label: t('keys.expires_never') }] : []),
    ];
  }
}
