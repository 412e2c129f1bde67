import { z } from 'zod';
import type { Texts } from '../../locales/texts.ts';
import { mergeLists, openedIn, without, type ConflictRow } from '../shell/conflict.ts';
import type { KeyFields } from './keyForm.ts';

/** A key as its form was opened: the version and the fields, which the form carries until it is sent. */
export interface OpenedKey {
  version: string;
  fields: KeyFields;
}

const Text = z.string();
const Opened = z.object({
  version: Text,
  fields: z.object({
    ...{ name: Text, description: Text, scopes: z.array(Text), environment: Text, expires: Text, expiresOn: Text },
    ...{ allowedIps: Text, rateLimit: Text, rateWindow: Text, monthlyQuota: Text },
    ...{ owner: Text, externalId: Text, metadata: Text },
  }),
});

/** The fields that are chosen together, each by what it is called in the texts. */
const GROUPS = {
  name: ['name'],
  description: ['description'],
  scopes: ['scopes'],
  expires: ['expires', 'expiresOn'],
  allowedIps: ['allowedIps'],
  rateLimit: ['rateLimit', 'rateWindow'],
  monthlyQuota: ['monthlyQuota'],
  externalId: ['externalId'],
  metadata: ['metadata'],
} as const satisfies Record<string, readonly (keyof KeyFields)[]>;

type Group = keyof typeof GROUPS;
const NAMES = Object.keys(GROUPS) as Group[];

/** What a form carries of the key that it was opened with. */
export function openedKeyOf(form: URLSearchParams): OpenedKey | undefined {
  return openedIn(form, Opened);
}

/** The fields that others have changed since the form was opened: as they were, as they were sent, and as they are. */
export function conflictRows(opened: KeyFields, yours: KeyFields, stored: KeyFields, texts: Texts): ConflictRow[] {
  return NAMES.filter((name) => meaningOf(name, opened) !== meaningOf(name, stored)).map((name) => ({
    label: texts.t(`keys.field_${name}`),
    opened: wordsOf(name, opened, texts),
    yours: isUntouched(name, opened, yours) ? undefined : changeOf(name, opened, yours, texts),
    stored: changeOf(name, opened, stored, texts),
  }));
}

/** The changed value; of scopes what was added and what was removed. */
function changeOf(name: Group, opened: KeyFields, changed: KeyFields, texts: Texts): string {
  if (name !== 'scopes') return wordsOf(name, changed, texts);
  const added = without(changed.scopes, opened.scopes).map((scope) => `+ ${scope}`);
  const removed = without(opened.scopes, changed.scopes).map((scope) => `− ${scope}`);
  return [...added, ...removed].join(', ');
}

/** The fields to go on with: what the reader changed as they changed it, all others as they are stored now. */
export function mergeFields(opened: KeyFields, yours: KeyFields, stored: KeyFields): KeyFields {
  const untouched = NAMES.filter((name) => isUntouched(name, opened, yours)).flatMap((name) => [...GROUPS[name]]);
  const scopes = mergeLists({ opened: opened.scopes, yours: yours.scopes, stored: stored.scopes });
  return { ...yours, ...Object.fromEntries(untouched.map((field) => [field, stored[field]])), scopes };
}

/** An expiry that is kept was not chosen anew, whatever the day beside it says. */
function isUntouched(name: Group, opened: KeyFields, yours: KeyFields): boolean {
  if (name === 'expires') return yours.expires === 'keep';
  return meaningOf(name, opened) === meaningOf(name, yours);
}

/** Two texts of a field that mean the same value are equal here. */
function meaningOf(name: Group, fields: KeyFields): string {
  switch (name) {
    case 'scopes':
      return [...fields.scopes].sort().join(' ');
    case 'expires':
      return `${fields.expires} ${fields.expiresOn}`;
    case 'rateLimit':
      return fields.rateLimit === '' ? '' : `${fields.rateLimit}/${fields.rateWindow}`;
    default:
      return fields[name].trim().split(/\s+/).join(' ');
  }
}

function wordsOf(name: Group, fields: KeyFields, { t }: Texts): string {
  switch (name) {
    case 'scopes':
      return [...fields.scopes].sort().join(', ');
    case 'expires':
      return expiryOf(fields, t);
    case 'rateLimit': {
      const seconds = Number(fields.rateWindow);
      const limit = Number(fields.rateLimit);
      return limit > 0 && seconds > 0 ? t('keys.rate', { limit, seconds }) : fields.rateLimit;
    }
    case 'allowedIps':
      return fields.allowedIps
        .trim()
        .split(/[\s,]+/)
        .join(', ');
    default:
      return fields[name].trim();
  }
}

function expiryOf({ expires, expiresOn }: KeyFields, t: Texts['t']): string {
  if (/^\d{1,4}$/.test(expires)) return t('keys.days', { days: Number(expires) });
  return expires === 'never' || expiresOn === '' ? t('keys.expires_never') : expiresOn;
}
