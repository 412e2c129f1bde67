import { expect } from 'chai';
import { niceTicks } from '../../../app/admin/shell/bars.ts';
import { spanText, usageChart } from '../../../app/admin/shell/usageChart.ts';
import { bucketsOf, emptyBuckets, type Bucket } from '../../../app/domain/statsPeriod.ts';
import { textsIn } from '../../../app/locales/texts.ts';

const at = (text: string) => Date.parse(`${text}Z`);
const NOW = at('2026-11-26T04:30');
const day = (from: string, to: string) => bucketsOf({ from: at(`${from}T00:00`), to: at(`${to}T00:00`) });

describe('the chart of requests', () => {
  const TICKS: [number, number[]][] = [
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [7, [0, 3, 6, 9]],
    [66, [0, 25, 50, 75]],
    [115, [0, 40, 80, 120]],
    [1_000_000, [0, 400_000, 800_000, 1_200_000]],
  ];
  for (const [highest, ticks] of TICKS) {
    it(`has lines at ${ticks.join(', ')} where the highest bar is ${highest}`, () => {
      expect(niceTicks(highest)).to.deep.equal(ticks);
    });
  }

  const TIMES: [string, [Bucket, ...Bucket[]], string[]][] = [
    ['24 hours', emptyBuckets('24h', NOW), ['06:00', '12:00', '18:00', '26 Nov']],
    ['7 days', emptyBuckets('7d', NOW), ['20 Nov', '22 Nov', '24 Nov', '26 Nov']],
    ['30 days', emptyBuckets('30d', NOW), ['30 Oct', '5 Nov', '11 Nov', '17 Nov', '23 Nov']],
    ['one day', day('2026-11-25', '2026-11-26'), ['25 Nov', '06:00', '12:00', '18:00']],
    ['a year', day('2025-11-27', '2026-11-27'), ['25 Dec', '12 Mar', '28 May', '13 Aug', '29 Oct']],
  ];
  for (const [period, buckets, times] of TIMES) {
    it(`names three to five times of ${period}, and has at most 60 bars`, () => {
      const chart = usageChart(buckets, textsIn('en'), { hrefOf: () => undefined });
      expect(chart.times.map(({ text }) => text)).to.deep.equal(times);
      expect(chart.bars).to.have.lengthOf.at.most(60);
      expect(buckets.at(-1)?.to).to.be.greaterThan(buckets[0].from);
    });
  }

  const SPANS: [string, string, string][] = [
    ['2026-11-25T23:00', '2026-11-26T00:00', 'Wed 25 Nov, 23:00–00:00 UTC'],
    ['2026-11-25T00:00', '2026-11-26T00:00', 'Wed 25 Nov'],
    ['2026-11-25T05:00', '2026-11-26T05:00', 'Wed 25 Nov 05:00 – Thu 26 Nov 05:00 UTC'],
    ['2026-11-20T00:00', '2026-11-27T00:00', 'Fri 20 Nov – Thu 26 Nov'],
    ['2025-12-29T00:00', '2026-01-05T00:00', '29 Dec 2025 – 4 Jan 2026'],
  ];
  for (const [from, to, text] of SPANS) {
    it(`calls the span from ${from} to ${to} ${text}`, () => {
      expect(spanText({ from: at(from), to: at(to) }, textsIn('en')).replaceAll('\u00a0', ' ')).to.equal(text);
    });
  }

  it('counts each request once, as accepted, denied or failed', () => {
    const buckets = emptyBuckets('24h', NOW);
    Object.assign(buckets[0], { ok: 10, denied: 2, errors: 3 });
    const { totals, bars } = usageChart(buckets, textsIn('en'), { hrefOf: () => undefined });
    expect(totals).to.deep.equal({ ok: 7, denied: 2, error: 3 });
    expect(bars[0]?.figures).to.equal('7 accepted\n2 denied\n3 errors');
    expect(bars.filter(({ isTabStop }) => isTabStop)).to.deep.equal([bars[0]]);
  });
});
