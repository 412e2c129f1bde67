import { memoizeByText } from '../../domain/memoizeByText.ts';

/** So many requests in one span of time. */
export interface Bucket {
  /** The span in the reader's words. */
  label: string;
  ok: number;
  denied: number;
}

interface Bar {
  x: number;
  width: number;
  ok: { y: number; height: number };
  denied: { y: number; height: number };
  label: string;
  okCount: number;
  deniedCount: number;
}

export interface BarChart {
  width: number;
  height: number;
  /** Where the lines of the grid lie. */
  lines: number[];
  bars: Bar[];
  /** The most that any bar shows. */
  top: number;
  first: string;
  last: string;
}

const WIDTH = 960;
const HEIGHT = 160;
const GAP = 2;

/** The bars that `barChart` of `shell/chart.njk` draws, denied requests on top of successful ones. */
export function barChartOf(buckets: readonly Bucket[]): BarChart {
  const top = Math.max(0, ...buckets.map(({ ok, denied }) => ok + denied));
  const scale = HEIGHT / Math.max(1, top);
  const step = WIDTH / Math.max(1, buckets.length);
  const bars = buckets.map(({ label, ok, denied }, index): Bar => {
    const okHeight = rounded(ok * scale);
    const deniedHeight = rounded(denied * scale);
    return {
      x: rounded(index * step),
      width: rounded(Math.max(1, step - GAP)),
      ok: { y: rounded(HEIGHT - okHeight), height: okHeight },
      denied: { y: rounded(HEIGHT - okHeight - deniedHeight), height: deniedHeight },
      label,
      okCount: ok,
      deniedCount: denied,
    };
  });
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) => HEIGHT * part);
  const [first, last] = [buckets[0]?.label ?? '', buckets.at(-1)?.label ?? ''];
  return { width: WIDTH, height: HEIGHT, lines, bars, top, first, last };
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
