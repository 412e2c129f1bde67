import { count, medianOf, ratiosOf, shown, table } from './figures.ts';
import type { Sample } from './sample.ts';
import type { Samples } from './rounds.ts';

/** A line of a table: which server under which load. */
export interface Row {
  name: string;
  subject: string;
  load: string;
}

const HEAD = [
  '64 connections',
  'bare Koa ÷ it, by CPU',
  'CPU µs each',
  'a core serves /s',
  'served /s',
  'core used',
  'p50 ms',
  'p99 ms',
  'stall p99 ms',
  'stall max ms',
  'MariaDB µs each',
  'statements each',
  'RSS MB',
];

/** Servers under full load, each beside bare Koa in the same round; medians of the rounds. */
export function fullLoadTable(samples: Samples, rows: readonly Row[], bare: { to: string; load: string }): string {
  const lines = rows.map(({ name, subject, load }) => {
    const each = (figure: keyof Sample) => samples.each(subject, load, figure);
    const median = (figure: keyof Sample) => medianOf(each(figure));
    return [
      name,
      shown(ratiosOf(samples.each(bare.to, bare.load, 'cpuMicros'), each('cpuMicros'))),
      median('cpuMicros').toFixed(0),
      count(1e6 / median('cpuMicros')),
      count(median('perSecond')),
      percent(median('serverBusy')),
      median('p50Ms').toFixed(1),
      median('p99Ms').toFixed(1),
      median('stallP99Ms').toFixed(1),
      Math.max(...each('stallMaxMs')).toFixed(1),
      median('databaseMicros').toFixed(0),
      median('statements').toFixed(2),
      median('rssMb').toFixed(0),
    ];
  });
  const generator = percent(medianOf(samples.each(bare.to, bare.load, 'generatorBusy')));
  return `${table([HEAD, ...lines])}\nThe load generator used ${generator} of its core against ${bare.to}.`;
}

export const percent = (share: number) => `${(share * 100).toFixed(0)}%`;
