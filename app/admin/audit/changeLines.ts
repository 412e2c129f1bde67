import { isDeepStrictEqual } from 'node:util';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import type { Texts } from '../../locales/texts.ts';
import { labelOf, momentOf, textOf } from './auditChanges.ts';

/** A moment, or a text as far as it fits in a line; `full` has all of one that was cut. */
type ShownValue = { at: number } | { text: string; full?: string };

/** What a row of the page says of one field: the entries of a list, or a value. */
export interface ChangeLine {
  field: string;
  /** Whether its values are identifiers or addresses rather than words. */
  mono: boolean;
  /** What the list is made of, where the whole of it was created. */
  entries?: string[];
  removed?: string[];
  added?: string[];
  before?: ShownValue;
  after?: ShownValue;
}

/** Fields whose values are identifiers, addresses or patterns. */
const MONO = new Set([
  ...['scopes', 'defaultScopes', 'permissions', 'allowedIps', 'allowedNetworks', 'rules', 'endpoint', 'url'],
  ...['keyId', 'successorKeyId', 'externalId', 'slug', 'reference', 'replaces', 'sku', 'customerId', 'metadata'],
]);

const IDS = new Set(['keyId', 'successorKeyId', 'replaces']);

/** Fields that come into being with the action, so that what they were before says nothing. */
const SET_BY_ACTION = new Set(['successorKeyId', 'graceEndsAt', 'pausedAt']);

/** Moments that are the time of the row itself. */
const TIME_OF_ACTION: Readonly<Record<string, string>> = {
  API_KEY_PAUSED: 'pausedAt',
  API_KEY_REVOKED: 'revokedAt',
};

/** What names the thing stands beside the action, and is not said again of one that was created or removed. */
const NAMES = ['name', 'email', 'subject'];

/** What somebody who looks through the log asks first. */
const FIRST = ['scopes', 'permissions', 'role', 'expiresAt'];

const LONGEST_SHOWN = 80;

/** What a row of the audit log says changed, in lines; what was created is told by its main facts. */
export function changeLinesOf(log: AuditLog, texts: Texts): ChangeLine[] {
  const { action, entity } = log;
  if (action === 'API_KEY_USED') return useLines(log, texts);
  const [before, after] = [flat(log.before), flat(log.after)];
  const isWhole = log.before === null || log.after === null;
  const fields = [...new Set([...FIRST, ...before.keys(), ...after.keys()])];
  return fields
    .filter((path) => !(isWhole && NAMES.includes(path)) && path !== TIME_OF_ACTION[action])
    .filter((path) => !isDeepStrictEqual(before.get(path), after.get(path)))
    .map((path) => lineOf(path, before.get(path), after.get(path), { entity, texts, isWhole }))
    .filter((line) => line !== undefined);
}

/** The request by which a key was used. */
function useLines({ after }: AuditLog, texts: Texts): ChangeLine[] {
  const { method, endpoint, statusCode } = after ?? {};
  const words = [method, endpoint].filter((one) => typeof one === 'string');
  const response = typeof statusCode === 'number' ? [{ field: labelOf('statusCode', texts), code: statusCode }] : [];
  return [
    ...(words.length > 0 ? [{ field: labelOf('endpoint', texts), mono: true, after: cut(words.join(' ')) }] : []),
    ...response.map(({ field, code }) => ({ field, mono: true, after: { text: String(code) } })),
  ];
}

function lineOf(
  path: string,
  before: unknown,
  after: unknown,
  { entity, texts, isWhole }: { entity: string; texts: Texts; isWhole: boolean },
): ChangeLine | undefined {
  const [field = '', ...inner] = path.split(SEPARATOR);
  const line = { field: [labelOf(field, texts), ...inner].join(' · '), mono: MONO.has(field) };
  if (isList(before ?? after) && isList(after ?? before)) {
    const [was, is] = [listOf(before), listOf(after)];
    if (isWhole && is.length > 0) return { ...line, entries: is };
    const removed = was.filter((one) => !is.includes(one));
    const added = is.filter((one) => !was.includes(one));
    if (removed.length + added.length > 0) return { ...line, removed, added };
  }
  const shown = (value: unknown) => shownValue(field, value, entity, texts);
  const [was, is] = [shown(before), shown(after)];
  const isNew = isWhole || SET_BY_ACTION.has(field);
  if (was === undefined && is === undefined) {
    // A key that never ends is worth a word where it is created.
    return isWhole && field === 'expiresAt' && after === null
      ? { ...line, after: { text: texts.t('audit.never') } }
      : undefined;
  }
  const absent = (value: unknown) =>
    isNew || value === undefined ? undefined : { text: texts.t(field === 'expiresAt' ? 'audit.never' : 'audit.none') };
  const [old, current] = [was ?? absent(before), is ?? absent(after)];
  return { ...line, ...(old && { before: old }), ...(current && { after: current }) };
}

/** Stands in no name of a field. */
const SEPARATOR = '\u0000';

/** The fields, with those of an object of a customer's own apart. */
function flat(fields: Record<string, unknown> | null): Map<string, unknown> {
  return new Map(
    Object.entries(fields ?? {}).flatMap(([field, value]) =>
      isCustomersObject(field, value)
        ? Object.entries(value).map(([name, inner]) => [`${field}${SEPARATOR}${name}`, inner] as const)
        : [[field, value] as const],
    ),
  );
}

function isCustomersObject(field: string, value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !/rateLimit$/i.test(field);
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

function shownValue(field: string, value: unknown, entity: string, texts: Texts): ShownValue | undefined {
  const at = momentOf(field, value);
  if (at !== undefined) return { at };
  const text = textOf(field, value, entity, texts);
  if (text !== undefined && IDS.has(field)) return { text: shortId(text), full: text };
  return text === undefined ? undefined : cut(text);
}

/** The end of an id: ids begin with a time, so neighbouring rows share the beginning. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}

function cut(text: string): { text: string; full?: string } {
  if (text.length <= LONGEST_SHOWN) return { text };
  // The cut may halve a character.
  return { text: `${text.slice(0, LONGEST_SHOWN).replace(/\p{Cs}/gu, '')}…`, full: text };
}
