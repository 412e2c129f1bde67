import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { planNamed } from '../../domain/plan.ts';
import { RateLimit } from '../../domain/policy.ts';
import type { Texts } from '../../locales/texts.ts';

/** A changed field in the reader's language; `before` or `after` is missing if the field was absent or empty. */
export interface Change {
  field: string;
  before: string | undefined;
  after: string | undefined;
}

/** Fields that hold a moment. */
const MOMENTS = new Set(['expiresAt', 'graceEndsAt', 'pausedAt', 'revokedAt']);

/** Fields whose values are translated, with the prefix of their keys in the texts. */
const WORDS: Readonly<Record<string, string>> = {
  environment: 'keys.',
  owner: 'keys.owner_',
  role: 'shell.role_',
  priority: 'tickets.priority_',
  leakAction: 'settings.leak_',
};

/** The prefix of a status's texts by the kind of entity. */
const STATUSES: Readonly<Record<string, string>> = { user: 'members.', tenant: 'tenants.', ticket: 'tickets.status_' };

/** The changes that a row of the audit log records, field by field. */
export function changesOf({ entity, before, after }: AuditLog, texts: Texts): Change[] {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...fields]
    .map((field) => ({
      field: labelOf(field, texts),
      before: textOf(field, before?.[field], entity, texts),
      after: textOf(field, after?.[field], entity, texts),
    }))
    .filter((change) => change.before !== undefined || change.after !== undefined);
}

/** The moment in a field that holds one; undefined for other fields, and for what is no time. */
export function momentOf(field: string, value: unknown): number | undefined {
  if (!MOMENTS.has(field) || typeof value !== 'string') return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : at;
}

/** A field of a key is called what its form calls it, unless the log has a word of its own. */
export function labelOf(field: string, { t, has }: Texts): string {
  const key = [`audit.field_${field}`, `keys.field_${field}`].find(has);
  return key === undefined ? field : t(key);
}

/** A value in words; undefined for what is absent or empty. */
export function textOf(field: string, value: unknown, entity: string, texts: Texts): string | undefined {
  const { t, number } = texts;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return wordsOf(field, value, entity, texts);
  if (typeof value === 'boolean') return t(value ? 'audit.yes' : 'audit.no');
  if (typeof value === 'number') return number(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || undefined;
  const rate = RateLimit.safeParse(value);
  if (rate.success) return t('keys.rate', { limit: rate.data.limit, seconds: rate.data.windowSeconds });
  const text = JSON.stringify(value);
  return text === '{}' ? undefined : text;
}

function wordsOf(field: string, value: string, entity: string, { t, has, moment, locale }: Texts): string {
  const at = momentOf(field, value);
  if (at !== undefined) return moment(at).full;
  if (field === 'plan') return planNamed(value, locale);
  const place = field === 'status' ? STATUSES[entity] : WORDS[field];
  const key = `${place ?? ''}${value}`;
  return place !== undefined && has(key) ? t(key) : value;
}
