import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { ScopeSet } from '../../../app/domain/scope.ts';
import type { JournalEntry } from '../../../app/usage/usageEvent.ts';
import type { Route } from '../../../app/http/table.ts';
import type { Chance } from './chance.ts';
import type { Line, Rhythm, Traffic } from './line.ts';
import type { Host } from './people.ts';
import { DAY_MS, HOUR_MS } from './world.ts';

const MINUTE_MS = 60_000;
/** How much of today's traffic there was a year ago. */
const BEGINNING = 0.25;

/** A key at work: from when it is in use until it ends or is given up. */
export interface Span {
  key: ApiKey;
  scopes: ScopeSet;
  from: number;
  until: number;
}

/** A few requests of one program within one minute. */
export interface Burst {
  at: number;
  span: Span;
  host: Host;
  routes: readonly (readonly [route: Route, weight: number])[];
  /** How large it is beside the others. */
  weight: number;
  requests: number;
}

/** For each hour of the day, and for days without work, how often a program comes. */
const RHYTHMS: Record<Rhythm, { hours: readonly number[]; weekend: number }> = {
  busy: { hours: hoursOfDay((hour) => (hour >= 1 && hour <= 4 ? 0.6 : 1)), weekend: 0.85 },
  regular: { hours: hoursOfDay((hour) => (hour % 3 === 1 ? 0.95 : 0)), weekend: 0.7 },
  office: { hours: hoursOfDay((hour) => (hour >= 7 && hour <= 18 ? 0.6 : 0.01)), weekend: 0.06 },
  nightly: { hours: hoursOfDay((hour) => (hour === 2 ? 6 : 0)), weekend: 1 },
  builds: { hours: hoursOfDay((hour) => (hour >= 8 && hour <= 19 ? 0.45 : 0.02)), weekend: 0.05 },
  rare: { hours: hoursOfDay((hour) => (hour >= 8 && hour <= 20 ? 0.05 : 0)), weekend: 0.2 },
};

/** When a program came, oldest first; of two keys at once in a rotation the old one is still shown by most. */
export function burstsOf(
  line: Line,
  spans: readonly Span[],
  routes: readonly Route[],
  now: number,
  chance: Chance,
): Burst[] {
  const { traffic } = line;
  const first = spans[0];
  if (!traffic || !first) return [];
  const { hours, weekend } = RHYTHMS[traffic.rhythm];
  const expected = hours.reduce((sum, hour) => sum + hour, 0);
  const called = Object.entries(traffic.routes).map(([name, weight]) => [routeNamed(routes, name), weight] as const);
  const visit = (at: number, span: Span): Burst => {
    const usual = (traffic.share / expected) * growth(now - at) * daylight(traffic, new Date(at).getUTCHours());
    const host = chance.pick(traffic.hosts);
    return { at, span, host, routes: called, weight: usual * chance.between(0.5, 1.6), requests: 0 };
  };
  const bursts = handedOver(spans, now, chance).map(({ at, span }) => visit(at, span));
  const end = Math.min(now - MINUTE_MS, traffic.untilDaysAgo === undefined ? now : now - traffic.untilDaysAgo * DAY_MS);
  for (let hour = first.from - (first.from % HOUR_MS); hour < end; hour += HOUR_MS) {
    const date = new Date(hour);
    const often = (hours[date.getUTCHours()] ?? 0) * (date.getUTCDay() % 6 === 0 ? weekend : 1);
    for (let left = chance.about(often); left > 0; left--) {
      const at = hour + chance.whole(0, 59) * MINUTE_MS + chance.whole(0, 9_000);
      const span = spanAt(spans, at, chance);
      if (span && at < end) bursts.push(visit(at, span));
    }
  }
  return bursts.sort((a, b) => a.at - b.at);
}

/** Shares the requests out among the bursts by their weight, one at least to each, and exactly as many as asked for. */
export function shareOut(bursts: readonly Burst[], requests: number): void {
  const total = bursts.reduce((sum, { weight }) => sum + weight, 0);
  const spare = Math.max(0, requests - bursts.length);
  let weight = 0;
  let given = 0;
  for (const burst of bursts) {
    weight += burst.weight;
    const due = Math.round((weight / total) * spare);
    burst.requests = 1 + due - given;
    given = due;
  }
}

/** The requests of a burst, each answered as the product would have answered it. */
export function requestsOf({ at, span, host, routes, requests }: Burst, chance: Chance): JournalEntry[] {
  const { key, scopes } = span;
  const total = routes.reduce((sum, [, weight]) => sum + weight, 0);
  const gap = Math.min(4_000, (MINUTE_MS - 10_000) / requests);
  return Array.from({ length: requests }, (_, place) => {
    const route = weightedPick(routes, chance.next() * total);
    const scope = route.access.kind === 'scope' ? route.access.scope : null;
    const statusCode = answered(route, scope === null || scopes.covers(scope), chance);
    return {
      v: 1,
      keyId: key.id,
      tenantId: key.tenantId,
      method: route.method,
      endpoint: route.path,
      statusCode,
      scope,
      ip: host.ip,
      userAgent: host.agent,
      responseMs: responseTime(route, statusCode, chance),
      createdAt: Math.floor(at + place * gap),
      keyName: key.name,
      // Only the first of a window is ever shown with it.
      requestId: place === 0 ? chance.uuid() : null,
    };
  });
}

/** While a rotation is under way, both keys are seen at least now and then, whatever the hour. */
function handedOver(spans: readonly Span[], now: number, chance: Chance): { at: number; span: Span }[] {
  const [old, fresh] = spans.slice(-2);
  if (!old || !fresh || old.until < now) return [];
  return [old, fresh, old].map((span, place) => {
    const at = fresh.from + ((now - fresh.from) * (place + chance.between(0.2, 0.8))) / 3;
    return { at: Math.floor(at / MINUTE_MS) * MINUTE_MS, span };
  });
}

function hoursOfDay(often: (hour: number) => number): number[] {
  return Array.from({ length: 24 }, (_, hour) => often(hour));
}

function routeNamed(routes: readonly Route[], name: string): Route {
  const route = routes.find(({ method, path }) => `${method} ${path}` === name);
  if (!route) throw new Error(`there is no route ${name}`);
  return route;
}

function spanAt(spans: readonly Span[], at: number, chance: Chance): Span | undefined {
  const valid = spans.filter(({ from, until }) => from <= at && at < until - MINUTE_MS);
  return valid.length > 1 && chance.happens(0.4) ? valid[1] : valid[0];
}

function growth(ageMs: number): number {
  return BEGINNING + (1 - BEGINNING) * (1 - ageMs / (365 * DAY_MS));
}

/** Those who are there all day have more to do by day. */
function daylight({ rhythm }: Traffic, hour: number): number {
  return rhythm === 'busy' || rhythm === 'regular' ? 0.35 + Math.sin((Math.PI * ((hour + 20) % 24)) / 24) ** 2 : 1;
}

function weightedPick(routes: Burst['routes'], place: number): Route {
  let left = place;
  for (const [route, weight] of routes) {
    left -= weight;
    if (left < 0) return route;
  }
  const [last] = routes.at(-1) ?? [];
  if (!last) throw new Error('a program calls nothing');
  return last;
}

function answered({ method, path, answers }: Route, allowed: boolean, chance: Chance): number {
  if (!allowed) return 403;
  if (path.endsWith('/:id') && chance.happens(0.015)) return 404;
  if ((method === 'POST' || method === 'PATCH') && chance.happens(0.008)) return 422;
  return answers[0]?.status ?? 200;
}

/** Mostly a few milliseconds, sometimes many; refusals are fast. */
function responseTime({ method }: Route, statusCode: number, chance: Chance): number {
  const usual = statusCode === 403 ? 1.2 : method === 'GET' ? 4 : 9;
  return Math.round(usual * Math.exp(chance.between(-0.7, 0.9) + (chance.happens(0.02) ? 2 : 0)) * 10) / 10;
}
