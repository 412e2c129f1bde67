const DATE_TIME =
  /^(?<date>\d{4}-\d\d-\d\d)T(?<clock>\d\d:\d\d)(?::(?<seconds>\d\d)(?:\.(?<fraction>\d{1,30}))?)?(?<zone>Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const FOUR_DIGIT_YEAR = /^\d{4}-/;

/**
 * Reads an ISO 8601 date-time that names its zone as epoch ms; undefined for anything else, days that no calendar
 * has included. Digits beyond milliseconds are cut off, never rounded up.
 */
export function parseInstant(text: string): number | undefined {
  const { date, clock, seconds = '00', fraction = '', zone } = DATE_TIME.exec(text)?.groups ?? {};
  if (date === undefined || clock === undefined || zone === undefined) return undefined;
  const asUtc = `${date}T${clock}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  // Date.parse rolls 30 February over into March and takes 24:00; only a real moment comes back as it was written.
  const wallClock = Date.parse(asUtc);
  if (Number.isNaN(wallClock) || iso(wallClock) !== asUtc) return undefined;
  const instant = wallClock - offsetMs(zone);
  return FOUR_DIGIT_YEAR.test(iso(instant)) ? instant : undefined;
}

/** Writes epoch ms as ISO 8601 UTC; an absent time stays absent. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** The month of a moment in UTC, as `2026-01`. */
export function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7);
}

/** The first moment of the month, in UTC, that a moment lies in. */
export function monthStart(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** The first moment of the month, in UTC, after the one that a moment lies in. */
export function nextMonthStart(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

/** A span of time: its first moment, and the first one after it. */
export interface Span {
  from: number;
  to: number;
}
