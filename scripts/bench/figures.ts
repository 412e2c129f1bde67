/** The middle of some figures, and their ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

export const medianOf = (figures: readonly number[]) => spreadOf(figures).median;

/** The ratios of two series, round by round, so that what slows the machine slows both sides of each. */
export function ratiosOf(series: readonly number[], to: readonly number[]): Spread {
  return spreadOf(series.map((figure, round) => figure / (to[round] ?? NaN)));
}

/** `0.84 (0.79–0.88)`. */
export function shown({ median, min, max }: Spread): string {
  const digits = median >= 100 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** Columns as wide as their widest cell: the first one reads from the left, figures end on the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => (row[column] ?? '')[isFigures(rows, column) ? 'padStart' : 'padEnd'](width))
      .join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** `1,000,000`. */
export const count = (number: number) => Math.round(number).toLocaleString('en-US');

export function quantileOf(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function isFigures(rows: readonly (readonly string[])[], column: number): boolean {
  return rows.slice(1).every((row) => /^(-?[\d,.]*(%| \(.*\))?|Infinity)$/.test(row[column] ?? ''));
}
