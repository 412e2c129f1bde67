import { z } from 'zod';
import type { Texts } from '../../locales/texts.ts';
import { conflictRows, mergeValues, openedIn, type ConflictRow, type FormVersions } from '../shell/conflict.ts';
import { USUAL_RATE_WINDOW, type KeyFields } from './keyForm.ts';

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

/** What a form carries of the key that it was opened with. */
export function openedKeyOf(form: URLSearchParams): OpenedKey | undefined {
  return openedIn(form, Opened);
}

/** The form of a key that others have changed since it was opened: what they changed, and the fields to go on with. */
export function keyConflict(
  { opened, yours, stored }: FormVersions<KeyFields>,
  texts: Texts,
): { rows: ConflictRow[]; fields: KeyFields } {
  // An expiry that is kept was not chosen anew, whatever the day beside it says.
  const sent = yours.expires === 'keep' ? { ...yours, expiresOn: opened.expiresOn } : yours;
  const versions = { opened: valuesOf(opened), yours: valuesOf(sent), stored: valuesOf(stored) };
  const { expiry, rate, ...others } = mergeValues(versions);
  return {
    rows: conflictRows(versions, (values) => factsOf(values, texts)),
    fields: { ...yours, ...others, ...expiry, ...rate },
  };
}

/** The fields that can be changed; those that are chosen together are one value, so that no mixture of two choices is made. */
function valuesOf(fields: KeyFields) {
  const { name, description, scopes, allowedIps, monthlyQuota, externalId, metadata } = fields;
  const { expires, expiresOn, rateLimit, rateWindow } = fields;
  return {
    name,
    description: withPlainLineEnds(description),
    scopes,
    expiry: { expires, expiresOn },
    allowedIps: withPlainLineEnds(allowedIps),
    // Without a limit the window says nothing.
    rate: { rateLimit, rateWindow: rateLimit === '' ? USUAL_RATE_WINDOW : rateWindow },
    monthlyQuota,
    externalId,
    metadata: withPlainLineEnds(metadata),
  };
}

/** A text of several lines as it was before a browser sent it. */
function withPlainLineEnds(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

type KeyValues = ReturnType<typeof valuesOf>;

function factsOf({ scopes, expiry, allowedIps, rate, ...others }: KeyValues, { t }: Texts) {
  const fact = (name: string, value: string) => ({ label: t(`keys.field_${name}`), value: value.trim() });
  const sorted = [...scopes].sort();
  return [
    fact('name', others.name),
    fact('description', others.description),
    { ...fact('scopes', sorted.join(', ')), list: sorted },
    fact('expires', expiryText(expiry, t)),
    fact(
      'allowedIps',
      allowedIps
        .trim()
        .split(/[\s,]+/)
        .join(', '),
    ),
    fact('rateLimit', rateText(rate, t)),
    fact('monthlyQuota', others.monthlyQuota),
    fact('externalId', others.externalId),
    fact('metadata', others.metadata),
  ];
}

function rateText({ rateLimit, rateWindow }: KeyValues['rate'], t: Texts['t']): string {
  const [limit, seconds] = [Number(rateLimit), Number(rateWindow)];
  return limit > 0 && seconds > 0 ? t('keys.rate', { limit, seconds }) : rateLimit;
}

function expiryText({ expires, expiresOn }: KeyValues['expiry'], t: Texts['t']): string {
  if (/^\d{1,4}$/.test(expires)) return t('keys.days', { days: Number(expires) });
  return expires === 'never' || expiresOn === '' ? t('keys.expires_never') : expiresOn;
}
