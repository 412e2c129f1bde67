import { z } from 'zod';
import { HOURS_KEPT_MS } from '../../../db/tables/usage/apiKeyUsageHours.ts';
import { Day } from '../../domain/fields.ts';
import { bucketsOf, emptyBuckets, STATS_PERIODS, type Bucket, type StatsPeriod } from '../../domain/statsPeriod.ts';

const DAY_MS = 86_400_000;

/** An empty field asks for nothing. */
const Field = z.string().max(100).default('');

/** The address of the page: one of the windows, or the first and the last day. */
export const UsageQuery = z.strictObject({ window: z.enum(STATS_PERIODS).optional(), from: Field, to: Field });
export type UsageQuery = z.output<typeof UsageQuery>;

/** What is wrong with a day that was chosen: the key of a text, and the values that it is filled with. */
interface DayProblem {
  key: string;
  values?: Record<string, string | number>;
}

/** The period that an address asks for, in empty buckets, or what is wrong with its days. */
export type UsagePeriod =
  | { window: StatsPeriod | undefined; buckets: [Bucket, ...Bucket[]]; problems?: undefined }
  | { problems: { from?: DayProblem; to?: DayProblem } };

/** Reads the period; days begin and end in UTC, and one that is left out is today. */
export function readPeriod({ window, from, to }: UsageQuery, now: number): UsagePeriod {
  if (from === '' && to === '') {
    const shown = window ?? '7d';
    return { window: shown, buckets: emptyBuckets(shown, now) };
  }
  const today = now - (now % DAY_MS);
  const first = from === '' ? today : dayOf(from);
  const last = to === '' ? today : dayOf(to);
  const problems = {
    ...problemAt('from', firstProblem(first, today)),
    ...problemAt('to', lastProblem(last, today, first)),
  };
  if (Object.keys(problems).length > 0 || first === undefined || last === undefined) return { problems };
  return { window: undefined, buckets: bucketsOf({ from: first, to: last + DAY_MS }) };
}

function firstProblem(first: number | undefined, today: number): DayProblem | undefined {
  if (first === undefined) return { key: 'usage.no_day' };
  if (first > today) return { key: 'usage.day_to_come' };
  const days = Math.floor(HOURS_KEPT_MS / DAY_MS);
  return first < today - (days - 1) * DAY_MS ? { key: 'usage.day_too_old', values: { days } } : undefined;
}

function lastProblem(last: number | undefined, today: number, first: number | undefined): DayProblem | undefined {
  if (last === undefined) return { key: 'usage.no_day' };
  if (last > today) return { key: 'usage.day_to_come' };
  return first !== undefined && last < first ? { key: 'usage.days_reversed' } : undefined;
}

function problemAt(field: 'from' | 'to', problem: DayProblem | undefined) {
  return problem && { [field]: problem };
}

function dayOf(text: string): number | undefined {
  return Day.safeParse(text).success ? Date.parse(`${text}T00:00:00.000Z`) : undefined;
}

/** A day as the fields have it. */
export function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
