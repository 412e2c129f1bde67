import { memoizeByText } from '../../domain/memoizeByText.ts';
import { REQUEST_OUTCOMES, type RequestOutcome } from '../../domain/requestOutcome.ts';

/** So many requests in one span of time, by how they ended; no request is in two of the numbers. */
export interface ChartSpan {
  /** The span in the reader's words. */
  label: string;
  counts: Counts;
  /** The counts in the reader's words, one a line. */
  figures: string;
  /** What the time axis says where the span begins; undefined where it says nothing. */
  tick: string | undefined;
  /** The address of the page that shows this span alone. */
  href: string | undefined;
  /** Whether the page shows this span alone already. */
  current: boolean;
}

export type Counts = Record<RequestOutcome, number>;

interface Bar extends ChartSpan {
  segments: { outcome: RequestOutcome; x: string; y: string; width: string; height: string }[];
  /** Whether this is the one bar that the tab key reaches; arrow keys lead from it to the others. */
  isTabStop: boolean;
}

export interface BarChart {
  bars: Bar[];
  /** Where the lines of the grid lie, the top one first, and what they stand for. */
  lines: { y: string; value: number }[];
  /** The texts of the time axis. */
  times: { x: string; text: string; anchor: 'start' | 'middle' | 'end' }[];
  totals: Counts;
}

/** The share of the width of a span that its bar takes. */
const BAR = 0.76;
/** A part of a bar is at least so high, in percent, that it can be seen. */
const LOWEST = 1.2;
/** Texts this near to an end of the axis begin or end there. */
const NEAR_END = 4;

/** The bars that `barChart` of `shell/chart.njk` draws, in percent of its width and height: errors on refusals on the rest. */
export function barChartOf(spans: readonly ChartSpan[]): BarChart {
  const highest = Math.max(0, ...spans.map(({ counts }) => sumOf(counts)));
  const ticks = niceTicks(highest);
  const top = ticks.at(-1) ?? 1;
  const step = 100 / Math.max(1, spans.length);
  const stop = spans.findLastIndex(({ current }) => current);
  const isTabStop = stop >= 0 ? stop : spans.findLastIndex(({ counts }) => sumOf(counts) > 0);
  const bars = spans.map((span, index): Bar => {
    let base = 100;
    const segments = REQUEST_OUTCOMES.filter((outcome) => span.counts[outcome] > 0).map((outcome) => {
      const height = Math.max(LOWEST, (span.counts[outcome] / top) * 100);
      base = Math.max(0, base - height);
      const x = (index + (1 - BAR) / 2) * step;
      return { outcome, x: percent(x), y: percent(base), width: percent(step * BAR), height: percent(height) };
    });
    return { ...span, segments, isTabStop: index === Math.max(0, isTabStop) };
  });
  const times = spans.flatMap(({ tick }, index) => {
    if (tick === undefined) return [];
    const x = (index + 0.5) * step;
    const anchor = x < NEAR_END ? 'start' : x > 100 - NEAR_END ? 'end' : 'middle';
    return [{ x: percent(anchor === 'middle' ? x : anchor === 'start' ? 0 : 100), text: tick, anchor } as const];
  });
  const lines = ticks.map((value) => ({ y: percent(100 - (value / top) * 100), value })).reverse();
  return { bars, lines, times, totals: addUp(spans) };
}

/** The values of an axis from 0 to at least `highest`: round numbers, two or three above the 0 where there is room. */
export function niceTicks(highest: number): number[] {
  const most = Math.max(1, highest);
  const size = 10 ** Math.floor(Math.log10(most / 3));
  const step = STEPS.map((one) => one * size).find((one) => Number.isInteger(one) && one * 3 >= most) ?? most;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

const STEPS = [1, 2, 2.5, 3, 4, 5, 10];

function addUp(spans: readonly ChartSpan[]): Counts {
  const totals: Counts = { ok: 0, denied: 0, error: 0 };
  for (const { counts } of spans) for (const outcome of REQUEST_OUTCOMES) totals[outcome] += counts[outcome];
  return totals;
}

function sumOf(counts: Counts): number {
  return counts.ok + counts.denied + counts.error;
}

function percent(number: number): string {
  return `${Math.round(number * 100) / 100}%`;
}

export interface Sparkline {
  width: number;
  height: number;
  path: string;
  total: number;
  days: number;
}

const SPARK = { width: 90, height: 20 };

/** A bar of each height there is, from its foot and back to it: putting them together anew for fifty rows is work. */
const barsOf = memoizeByText((width) =>
  Array.from({ length: SPARK.height + 1 }, (_, height) => `v-${height}h${width}v${height}`),
);

/** The sparkline of a key in the list: one bar a day, with a visible height for any use. */
export function sparklineOf(counts: readonly number[]): Sparkline {
  const step = SPARK.width / Math.max(1, counts.length);
  const width = rounded(step - 1);
  const bars = barsOf(String(width));
  let [top, total] = [1, 0];
  for (const count of counts) {
    top = Math.max(top, count);
    total += count;
  }
  let path = '';
  let at = 0;
  counts.forEach((count, index) => {
    if (count === 0) return;
    const from = rounded(index * step);
    if (path === '') path = `M${from} ${SPARK.height}`;
    else path += `h${rounded(from - at)}`;
    path += bars[Math.max(2, Math.round((count / top) * SPARK.height))] ?? '';
    at = rounded(from + width);
  });
  return { ...SPARK, path: path === '' ? `M0 ${SPARK.height - 0.5}h${SPARK.width}` : path, total, days: counts.length };
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10;
}
