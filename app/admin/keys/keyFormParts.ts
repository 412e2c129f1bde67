import type { Policy } from '../../domain/policy.ts';
import { iso } from '../../domain/times.ts';
import {
  allowedExpiryDays,
  FIELDS,
  ADVANCED_FIELDS,
  METADATA_EXAMPLE,
  allowsNoExpiry,
  type KeyFields,
  type Problems,
} from './keyForm.ts';
import type { Texts } from '../../locales/texts.ts';

interface Option {
  value: string;
  label: string;
}

/** What the form of a key shows beside its scopes; `keeps` is the expiry that it would leave as it is. */
export function formLocals(
  { t, moment }: Texts,
  policy: Policy,
  fields: KeyFields,
  problems: Problems = {},
  keeps?: { expiresAt: number | null },
) {
  // What is wrong with a day of their own is said beside that day.
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
    further: ADVANCED_FIELDS.some((field) => problems[field] !== undefined || !['', 'tenant'].includes(fields[field])),
    metadataExample: METADATA_EXAMPLE,
    never: allowsNoExpiry(policy),
    longest: policy.maxLifetimeDays,
    tomorrow: iso(Date.now() + 86_400_000).slice(0, 10),
    windows: [1, 60, 3_600, 86_400].map((seconds) => ({ value: String(seconds), label: t(`keys.per_${seconds}`) })),
  };

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
