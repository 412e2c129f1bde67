import { z } from 'zod';
import type { Db } from '../../../db/connection/connect.ts';
import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { encodeCursor } from '../../domain/cursor.ts';
import { Instant } from '../../domain/instant.ts';
import { outcomeOf, REQUEST_OUTCOMES, type RequestOutcome } from '../../domain/requestOutcome.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { STATS_PERIODS } from '../../domain/statsPeriod.ts';
import { iso, type Span } from '../../domain/times.ts';
import { AppError } from '../../errors.ts';
import { positionOf } from '../../http/paging.ts';
import { addressOf } from '../../http/redirect.ts';
import type { Texts } from '../../locales/texts.ts';
import { requestLog } from '../../usage/requestLog.ts';
import { spanText } from '../shell/usageChart.ts';

const REQUESTS = 25;

/** An empty field of the filter asks for nothing. */
const orEmpty = <T extends z.ZodType>(schema: T) => z.union([z.literal(''), schema]).optional();

/** The address of a key's page: the period of its use, and what its requests are filtered by. */
export const KeyPageQuery = z.strictObject({
  window: z.enum(STATS_PERIODS).optional(),
  status: orEmpty(z.string().regex(/^(?:ok|denied|error|[1-5]\d\d)$/)),
  // A backend that asked about the key named the route, which may have spaces.
  route: orEmpty(z.string().regex(/^[\x21-\x7e]{1,10} \P{Cc}{1,200}$/u)),
  ip: orEmpty(z.string().regex(/^\P{Cc}{0,45}$/u)),
  from: orEmpty(Instant),
  to: orEmpty(Instant),
  cursor: orEmpty(z.string()),
});
export type KeyPageQuery = z.output<typeof KeyPageQuery>;

/** The statuses that the filter offers beside the outcomes. */
const STATUSES = [200, 201, 204, 400, 401, 403, 404, 409, 422, 429, 500, 503];

/** The address of a key's page, which stands at `page`, with these choices; at its requests if these are what it is about. */
export function keyPagePath(page: string, { from, to, ...fields }: KeyPageQuery, part = ''): string {
  const chosen = Object.entries({ ...fields, from: momentText(from), to: momentText(to) });
  const given = chosen.filter((one): one is [string, string] => one[1] !== undefined);
  return addressOf(page, Object.fromEntries(given)) + part;
}

/** A moment in an address, without the zeros at its end. */
function momentText(at: number | '' | undefined): string | undefined {
  return typeof at === 'number' ? iso(at).replace(/(?::00)?\.000Z$/, 'Z') : undefined;
}

/** The chosen span of the requests; undefined without one. */
export function chosenSpan({ from, to }: KeyPageQuery): Span | undefined {
  if (typeof from !== 'number' || typeof to !== 'number') return undefined;
  if (from < to) return { from, to };
  throw new AppError('invalid_query', 'days_reversed');
}

/** What the log of a key's requests shows: a page of those that fit the address, in the span of its period. */
export async function keyRequests(
  db: Db,
  key: ApiKey,
  query: KeyPageQuery,
  { page, span, now, catalogue }: { page: string; span: Span; now: number; catalogue: ScopeCatalogue },
) {
  const { status, route, ip, window } = query;
  const chosen = chosenSpan(query);
  const filter = {
    status: statusOf(status),
    route: routeOf(route),
    ip: ip?.trim() === '' ? undefined : ip?.trim(),
  };
  const binding = JSON.stringify(['page usage', key.tenantId, key.id, filter, chosen]);
  const after = positionOf(query.cursor === '' ? undefined : query.cursor, binding);
  const asked = { span: chosen ?? span, after, limit: REQUESTS, ...filter };
  const { requests, next, lookedBackTo } = await requestLog(db, key, asked, now);
  const first = { ...query, cursor: undefined };
  const cursor = next && encodeCursor(next, binding);
  const rows = requests.map((use) =>
    requestRow(use, key, catalogue, (ip) => keyPagePath(page, { window, ip }, '#requests')),
  );
  return {
    rows,
    /** A column that has nothing to say on the whole page is left out. */
    lacking: rows.some(({ missing }) => missing !== null),
    pages: {
      first: after === undefined ? undefined : keyPagePath(page, first, '#requests'),
      next: cursor === undefined ? undefined : keyPagePath(page, { ...first, cursor }, '#requests'),
    },
    lookedBackTo,
    narrowed: Object.values(filter).some((value) => value !== undefined) || chosen !== undefined,
    cleared: keyPagePath(page, { window }, '#requests'),
  };
}

/** The fields of the log's filter with what they offer. */
export function requestFilter(
  page: string,
  { status = '', route = '', ip = '', window, from, to }: KeyPageQuery,
  routes: readonly { method: string; endpoint: string }[],
  { t, ...texts }: Texts,
) {
  const span = chosenSpan({ from, to });
  const offered = routes.map(({ method, endpoint }) => `${method} ${endpoint}`);
  const codes = STATUSES.map(String);
  const isCode = status !== '' && !(REQUEST_OUTCOMES as readonly string[]).includes(status);
  const option = (value: string) => ({ value, label: value });
  return {
    ...{ status, route, ip, window, from: momentText(from), to: momentText(to) },
    set: [status, route, ip].filter((value) => value !== '').length,
    statuses: [
      { value: '', label: t('keys.any') },
      ...REQUEST_OUTCOMES.map((outcome) => ({ value: outcome, label: t(`ui.chart_${outcome}`) })),
      {
        label: t('keys.exact_status'),
        options: (isCode && !codes.includes(status) ? [...codes, status] : codes).map(option),
      },
    ],
    routes: [
      { value: '', label: t('keys.any') },
      ...(route === '' || offered.includes(route) ? offered : [...offered, route]).map(option),
    ],
    span: span && {
      text: spanText(span, { t, ...texts }),
      without: keyPagePath(page, { window, status, route, ip }, '#requests'),
    },
  };
}

/** The links from the figures of a key to the requests that they count, in the span that is looked at. */
export function requestLinks(page: string, window: KeyPageQuery['window']) {
  const at = (fields: KeyPageQuery) => keyPagePath(page, { window, ...fields }, '#requests');
  return {
    outcomes: Object.fromEntries(REQUEST_OUTCOMES.map((status) => [status, at({ status })])),
    of: ({ from, to }: Span) => at({ from, to }),
    to: ({ method, endpoint }: { method: string; endpoint: string }, status?: RequestOutcome) =>
      at({ route: `${method} ${endpoint}`, status }),
  };
}

/** A request as the log of a key shows it. */
function requestRow(use: KeyUsage, key: ApiKey, catalogue: ScopeCatalogue, sameAddress: (ip: string) => string) {
  const { method, endpoint, statusCode, responseMs, ip, userAgent, scope, createdAt } = use;
  const lacks = statusCode === 403 && scope !== null && !key.scopes.some((granted) => catalogue.opens(granted, scope));
  return {
    ...{ method, endpoint, statusCode, ip, userAgent, createdAt },
    ms: Math.round(responseMs),
    outcome: outcomeOf(statusCode),
    missing: lacks ? scope : null,
    sameAddress: ip === null ? undefined : sameAddress(ip),
  };
}

function statusOf(text: string | undefined): RequestOutcome | number | undefined {
  if (text === undefined || text === '') return undefined;
  return REQUEST_OUTCOMES.find((outcome) => outcome === text) ?? Number(text);
}

function routeOf(text: string | undefined): { method: string; endpoint: string } | undefined {
  if (text === undefined || text === '') return undefined;
  const space = text.indexOf(' ');
  return { method: text.slice(0, space), endpoint: text.slice(space + 1) };
}
