import type { Db } from '../../db/connection/connect.ts';
import {
  listKeyUsage,
  positionOfKeyUsage,
  type KeyUsage,
  type UsageFilter,
} from '../../db/tables/usage/apiKeyUsage.ts';
import { hoursWith } from '../../db/tables/usage/apiKeyUsageHours.ts';
import type { Position } from '../domain/cursor.ts';
import { outcomeOf } from '../domain/requestOutcome.ts';
import type { Span } from '../domain/times.ts';

const HOUR_MS = 3_600_000;
/** How much is done for one page at most, which a database does in a fraction of a second. */
const AT_MOST = { requests: 10_000, hours: 200 };
/** Before all ids, so that a page goes on with the first request older than a moment. */
const BEFORE_IDS = '!';

/** The requests of a key that are looked for, from behind a position on. */
export interface RequestLogQuery extends UsageFilter {
  span: Span;
  after: Position | undefined;
  limit: number;
}

/** A page of a key's requests, the newest first. */
export interface RequestLogPage {
  requests: KeyUsage[];
  /** Where the next page goes on; undefined behind the last request. */
  next: Position | undefined;
  /** The moment down to which was looked, where the page was given up before it was full. */
  lookedBackTo: number | undefined;
}

/**
 * Finds a page of a key's requests. Of a key with a million of them, those of rare kinds are found by the hours in which
 * they were counted; what no count tells is looked for in a limited number of requests at a time.
 */
export async function requestLog(
  db: Db,
  { tenantId, id }: { tenantId: string; id: string },
  { span, after, limit, ...filter }: RequestLogQuery,
  now: number,
  atMost = AT_MOST,
): Promise<RequestLogPage> {
  const found: KeyUsage[] = [];
  const { parts, until } = await partsToLook(db, { tenantId, id }, { span, after, ...filter }, now, atMost.hours);
  let left = atMost.requests;
  for (const part of parts) {
    if (left <= 0) return givenUp(found, { at: part.to, id: BEFORE_IDS });
    // Where the part has more requests than may be looked through, it is cut at the last of those.
    const cut =
      part.requests > left ? await positionOfKeyUsage(db, tenantId, id, { after, span: part, count: left }) : undefined;
    const looked = cut ? { from: cut.at, to: part.to } : part;
    const wanted = limit + 1 - found.length;
    found.push(...(await listKeyUsage(db, tenantId, id, { ...filter, span: looked, after, limit: wanted })));
    if (found.length > limit)
      return { requests: found.slice(0, limit), next: placeOf(found[limit - 1]), lookedBackTo: undefined };
    // Requests of the same millisecond as the cut were looked at too.
    if (cut) return givenUp(found, { at: cut.at, id: BEFORE_IDS });
    left -= part.requests;
  }
  if (until !== undefined) return givenUp(found, { at: until, id: BEFORE_IDS });
  return { requests: found, next: undefined, lookedBackTo: undefined };
}

function givenUp(requests: KeyUsage[], next: Position): RequestLogPage {
  return { requests, next, lookedBackTo: next.at };
}

function placeOf(request: KeyUsage | undefined): Position | undefined {
  return request && { at: request.createdAt, id: request.id };
}

/** The spans of time in which such requests were counted, the newest first, how many requests each has, and where more begin. */
async function partsToLook(
  db: Db,
  { tenantId, id }: { tenantId: string; id: string },
  { span, after, status, route, ip }: UsageFilter & { span: Span; after: Position | undefined },
  now: number,
  mostHours: number,
): Promise<{ parts: (Span & { requests: number })[]; until: number | undefined }> {
  if (status === undefined && route === undefined && ip === undefined) {
    return { parts: [{ ...span, requests: 0 }], until: undefined };
  }
  const to = after ? Math.min(span.to, after.at + 1) : span.to;
  const outcome = typeof status === 'number' ? outcomeOf(status) : status;
  const counted = await hoursWith(
    db,
    tenantId,
    id,
    { from: hourOf(span.from), to },
    { route, outcome, limit: mostHours },
  );
  // The newest requests may be in the log before they are counted.
  const uncounted = [hourOf(now), hourOf(now) - HOUR_MS]
    .filter((hour) => hour < to && !counted.some((one) => one.hour === hour))
    .map((hour) => ({ hour, requests: 0 }));
  const parts: (Span & { requests: number })[] = [];
  for (const { hour, requests } of [...uncounted, ...counted].sort((a, b) => b.hour - a.hour)) {
    const last = parts.at(-1);
    if (last?.from === hour + HOUR_MS) {
      last.from = hour;
      last.requests += requests;
    } else parts.push({ from: hour, to: hour + HOUR_MS, requests });
  }
  const bounded = parts
    .map((part) => ({ ...part, from: Math.max(part.from, span.from), to: Math.min(part.to, span.to) }))
    .filter((part) => part.from < part.to);
  return { parts: bounded, until: counted.length < mostHours ? undefined : counted.at(-1)?.hour };
}

function hourOf(at: number): number {
  return at - (at % HOUR_MS);
}
