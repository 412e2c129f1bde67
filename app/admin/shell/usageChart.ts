import type { Locale } from '../../domain/locale.ts';
import { STATS_PERIODS, type Bucket, type StatsPeriod } from '../../domain/statsPeriod.ts';
import { barChartOf, type BarChart } from './bars.ts';
import type { Texts } from '../../locales/texts.ts';

/** How finely each window is divided decides how its spans are named; in UTC, as they were counted. */
const NAMED: Record<StatsPeriod, Intl.DateTimeFormatOptions> = {
  '24h': { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  '7d': { weekday: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  '30d': { weekday: 'short', day: 'numeric', month: 'short' },
};

/** The bars of a window of usage, each span named in the reader's language. */
export function usageChart(buckets: readonly Bucket[], window: StatsPeriod, locale: Locale): BarChart {
  const format = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { ...NAMED[window], timeZone: 'UTC' });
  return barChartOf(buckets.map(({ from, ok, denied }) => ({ label: format.format(from), ok, denied })));
}

/** The windows of usage that a page can be switched to, each at its address. */
export function windowLinks(window: StatsPeriod, t: Texts['t'], addressOf: (window: StatsPeriod) => string) {
  return STATS_PERIODS.map((one) => ({
    href: addressOf(one),
    label: t(`usage.window_${one}`),
    current: one === window,
  }));
}
