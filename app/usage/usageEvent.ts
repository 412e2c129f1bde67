import type { LoggedRequest } from '../../db/tables/usage/apiKeyUsage.ts';

/** One request made with a valid key, however it was answered. */
export interface UsageEvent {
  tenantId: string;
  keyId: string;
  keyName: string;
  method: string;
  /** The route's pattern. */
  endpoint: string;
  statusCode: number;
  /** What the route asks for. */
  scope: string | null;
  ip: string | null;
  userAgent: string | null;
  responseMs: number;
  at: number;
  requestId: string | null;
}

/** The form of journal lines that this release writes. */
const VERSION = 1;

/** A request as a line of the journal: named as in the usage log, cut so that no request can keep others from being written. */
export interface JournalEntry extends LoggedRequest {
  v: typeof VERSION;
  keyName: string;
  requestId: string | null;
}

/** A line that an earlier release left: values without names and without a version. */
type UnversionedEntry = [
  keyId: string,
  tenantId: string,
  method: string,
  endpoint: string,
  statusCode: number,
  scope: string | null,
  ip: string | null,
  userAgent: string | null,
  responseMs: number,
  createdAt: number,
  keyName: string,
  requestId: string | null,
];

const LONGEST_METHOD = 10;
const LONGEST_ENDPOINT = 200;
const LONGEST_SCOPE = 100;
const LONGEST_USER_AGENT = 255;
const LONGEST_RESPONSE_MS = 999_999;
/** Left where a text was cut within a character; MariaDB refuses JSON with one, and all that is written with it. */
const HALF_CHARACTERS = /\p{Cs}/gu;

/** The event as one line of the journal; made once, and never taken apart again on its way into the usage log. */
export function journalLineOf(event: UsageEvent): string {
  const entry: JournalEntry = {
    v: VERSION,
    keyId: event.keyId,
    tenantId: event.tenantId,
    method: event.method.slice(0, LONGEST_METHOD),
    endpoint: cut(event.endpoint, LONGEST_ENDPOINT),
    statusCode: event.statusCode,
    scope: event.scope?.slice(0, LONGEST_SCOPE) ?? null,
    ip: event.ip,
    userAgent: event.userAgent === null ? null : cut(event.userAgent, LONGEST_USER_AGENT),
    responseMs: Math.min(Math.round(event.responseMs * 10) / 10 || 0, LONGEST_RESPONSE_MS),
    createdAt: event.at,
    keyName: event.keyName,
    requestId: event.requestId,
  };
  return JSON.stringify(entry);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : text.slice(0, longest).replace(HALF_CHARACTERS, '');
}

/** What lines of a journal say, and the same as one JSON array; how many of them are not whole, and were left out. */
export interface JournalLines {
  uses: JournalEntry[];
  json: string;
  broken: number;
}

/** Reads lines of this release and of those before; throws a TypeError for lines of a later one, which are not for this one. */
export function readJournalLines(text: string): JournalLines {
  // JSON in one line has no line break of its own, so that only an unversioned line begins like this.
  if (text.startsWith('[') || text.includes('\n[')) return linesOneByOne(text);
  const json = `[${text.trimEnd().replaceAll('\n', ',')}]`;
  try {
    return { uses: (JSON.parse(json) as unknown[]).map(currentEntry), json, broken: 0 };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return linesOneByOne(text);
  }
}

function linesOneByOne(text: string): JournalLines {
  const lines = text.trimEnd().split('\n');
  const uses = lines
    .map(parsedLine)
    .filter((line) => line !== undefined)
    .map(currentEntry);
  return { uses, json: JSON.stringify(uses), broken: lines.length - uses.length };
}

function parsedLine(line: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function currentEntry(line: unknown): JournalEntry {
  if (Array.isArray(line)) return entryOfUnversioned(line as UnversionedEntry);
  if ((line as Partial<JournalEntry>).v === VERSION) return line as JournalEntry;
  throw new TypeError('a line of the usage journal has a version that this release does not know');
}

function entryOfUnversioned(line: UnversionedEntry): JournalEntry {
  const [keyId, tenantId, method, endpoint, statusCode, scope, ip, userAgent, responseMs, createdAt] = line;
  const [, , , , , , , , , , keyName, requestId] = line;
  const request = { keyId, tenantId, method, endpoint, statusCode, scope, ip, userAgent, responseMs, createdAt };
  return { v: VERSION, ...request, keyName, requestId };
}
