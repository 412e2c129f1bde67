import type { Locale } from '../../domain/locale.ts';
import { STATS_PERIODS, type Bucket, type StatsPeriod } from '../../domain/statsPeriod.ts';
import { REQUEST_OUTCOMES } from '../../domain/requestOutcome.ts';
import type { Span } from '../../domain/times.ts';
import { barChartOf, type Counts } from './bars.ts';
import type { Texts } from '../../locales/texts.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a chart's bars lead to: an address for each span, and the one that is looked at. */
export interface BarLinks {
  hrefOf: (span: Span) => string | undefined;
  current?: Span | undefined;
}

/** The bars of the buckets of a period, each span named in the reader's language. */
export function usageChart(buckets: readonly Bucket[], texts: Texts, { hrefOf, current }: BarLinks) {
  const names = namesIn(texts.locale);
  const ticks = timeTicks(buckets);
  const withClock = buckets.some(({ from, to }) => to - from < DAY_MS);
  const days = new Set(buckets.map(({ from }) => from - (from % DAY_MS))).size;
  const spans = buckets.map((bucket) => ({
    label: spanText(bucket, texts),
    counts: outcomesOf(bucket),
    figures: figuresOf(outcomesOf(bucket), texts),
    tick: ticks.has(bucket.from)
      ? names[withClock && days <= 2 && bucket.from % DAY_MS !== 0 ? 'clock' : 'day'].format(bucket.from)
      : undefined,
    href: hrefOf(bucket),
    current: bucket.from === current?.from && bucket.to === current.to,
  }));
  const { lines, ...chart } = barChartOf(spans);
  return { ...chart, lines: lines.map(({ y, value }) => ({ y, text: names.count.format(value) })) };
}

/** Counts in words, one a line; what did not happen is left out. */
function figuresOf(counts: Counts, { t }: Texts): string {
  const told = REQUEST_OUTCOMES.filter((outcome) => outcome === 'ok' || counts[outcome] > 0);
  return told.map((outcome) => t(`ui.count_${outcome}`, { count: counts[outcome] })).join('\n');
}

/** A span of time in UTC in the reader's words: `Wed 26 Nov, 14:00–15:00`, `Wed 26 Nov`, or its first and last day. */
export function spanText({ from, to }: Span, { locale, t }: Pick<Texts, 'locale' | 't'>): string {
  const { weekday, clock, date } = namesIn(locale);
  if (to - from < DAY_MS) {
    const hours = { day: weekday.format(from), from: clock.format(from), to: clock.format(to) };
    return t('ui.span_hours', hours);
  }
  if (from % DAY_MS !== 0 || to % DAY_MS !== 0) {
    const moment = (at: number) => `${weekday.format(at)} ${clock.format(at)}`;
    return `${t('ui.span_days', { from: moment(from), to: moment(to) })} UTC`;
  }
  if (to - from === DAY_MS) return weekday.format(from);
  const day = new Date(from).getUTCFullYear() === new Date(to - 1).getUTCFullYear() ? weekday : date;
  return t('ui.span_days', { from: day.format(from), to: day.format(to - 1) });
}

/** What the bars of a chart are, as `Requests per day (UTC)`. */
export function chartTitle([first]: readonly Bucket[], t: Texts['t']): string {
  return t(`usage.chart_${first ? Math.min(168, Math.round((first.to - first.from) / HOUR_MS)) : 24}`);
}

/** How requests ended, each counted once. */
export function outcomesOf({ ok, denied, errors }: Pick<Bucket, 'ok' | 'denied' | 'errors'>): Counts {
  return { ok: ok - errors, denied, error: errors };
}

const CLOCK_HOURS = [1, 2, 3, 4, 6, 12, 24];
const MOST_TEXTS = 5;

/** The beginnings of buckets that the time axis names, up to five: full hours of the clock, or days equally far apart. */
function timeTicks(buckets: readonly Bucket[]): Set<number> {
  const starts = buckets.map(({ from }) => from);
  const onClock = CLOCK_HOURS.map((hours) => starts.filter((from) => from % (hours * HOUR_MS) === 0));
  const few = onClock.find((ticks) => ticks.length > 0 && ticks.length <= MOST_TEXTS);
  if (few) return new Set(few);
  const days = starts.filter((from) => from % DAY_MS === 0);
  const step = Math.ceil(days.length / MOST_TEXTS);
  const first = Math.floor(((days.length - 1) % step) / 2);
  return new Set(days.filter((_, index) => index % step === first));
}

type Names = Record<'weekday' | 'day' | 'clock' | 'date', Intl.DateTimeFormat> & { count: Intl.NumberFormat };
const known = new Map<Locale, Names>();

/** Kept by language, since making a format takes a hundred times as long as using it. */
function namesIn(locale: Locale): Names {
  let names = known.get(locale);
  if (!names) {
    const format = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { ...options, timeZone: 'UTC' });
    names = {
      weekday: format({ weekday: 'short', day: 'numeric', month: 'short' }),
      day: format({ day: 'numeric', month: 'short' }),
      date: format({ day: 'numeric', month: 'short', year: 'numeric' }),
      count: new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }),
      clock: format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    };
    known.set(locale, names);
  }
  return names;
}

/** The windows of usage that a page can be switched to, each at its address. */
export function windowLinks(
  window: StatsPeriod | undefined,
  t: Texts['t'],
  addressOf: (window: StatsPeriod) => string,
) {
  return STATS_PERIODS.map((one) => ({
    href: addressOf(one),
    label: t(`usage.window_${one}`),
    current: one === window,
  }));
}
