import { expect } from 'chai';
import fc from '../support/properties.ts';
import { iso, monthStart, parseInstant } from '../../app/domain/times.ts';

describe('reading an instant', () => {
  const accepted: [text: string, asUtc: string][] = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04Z', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02T03:04:05.6Z', '2026-01-02T03:04:05.600Z'],
    ['2026-01-02T03:04:05.006Z', '2026-01-02T03:04:05.006Z'],
    ['2026-01-02T03:04:05.9999999Z', '2026-01-02T03:04:05.999Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05.000Z'],
    ['2026-01-02T03:04:05-05:30', '2026-01-02T08:34:05.000Z'],
    ['2026-01-01T00:00:00+14:00', '2025-12-31T10:00:00.000Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['1969-12-31T23:59:59Z', '1969-12-31T23:59:59.000Z'],
    ['0050-06-01T00:00:00Z', '0050-06-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ];
  for (const [text, asUtc] of accepted) {
    it(`takes ${text} as ${asUtc}`, () => {
      expect(parseInstant(text)).to.equal(Date.parse(asUtc));
    });
  }

  const refused: [text: string, why: string][] = [
    ['2026-01-02T03:04:05', 'no zone'],
    ['2026-01-02', 'no time'],
    ['2026-01-02T03Z', 'no minutes'],
    ['2026-02-30T00:00:00Z', 'no such day'],
    ['2026-02-29T00:00:00Z', 'no leap year'],
    ['1900-02-29T00:00:00Z', 'no leap year either'],
    ['2026-04-31T00:00:00Z', 'April has 30 days'],
    ['2026-13-01T00:00:00Z', 'no such month'],
    ['2026-00-01T00:00:00Z', 'no month zero'],
    ['2026-01-00T00:00:00Z', 'no day zero'],
    ['2026-01-02T24:00:00Z', 'written as the day after'],
    ['2026-01-02T25:00:00Z', 'no such hour'],
    ['2026-01-02T03:60:00Z', 'no such minute'],
    ['2026-01-02T03:04:60Z', 'no leap seconds'],
    ['2026-01-02T03:04:05+24:00', 'no such offset'],
    ['2026-01-02T03:04:05+02:60', 'no such offset'],
    ['2026-01-02T03:04:05+0200', 'offset without colon'],
    ['2026-01-02T03:04:05+02', 'offset without minutes'],
    ['2026-01-02T03:04:05.Z', 'a point without digits'],
    ['2026-01-02T03:04.5Z', 'a fraction of a minute'],
    ['2026-01-02 03:04:05Z', 'a blank for T'],
    ['2026-01-02t03:04:05z', 'lower case'],
    [' 2026-01-02T03:04:05Z', 'a blank before'],
    ['2026-01-02T03:04:05Z\n', 'a line end behind'],
    ['+002026-01-02T03:04:05Z', 'six-digit years'],
    ['9999-12-31T23:59:59-01:00', 'a moment in the year 10000'],
    ['0000-01-01T00:00:00+01:00', 'a moment before the year 0'],
    ['1767322800000', 'epoch ms'],
    ['tomorrow', 'words'],
    ['', 'nothing'],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text)}: ${why}`, () => {
      expect(parseInstant(text)).to.equal(undefined);
    });
  }

  it('reads every instant that iso() writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.parse('0000-01-01'), max: Date.parse('9999-12-31') }), (ms) => {
        expect(parseInstant(iso(ms))).to.equal(ms);
      }),
    );
  });

  it('gives what Date.parse gives, whatever the offset', () => {
    const two = (n: number) => String(n).padStart(2, '0');
    const offset = fc.tuple(fc.constantFrom('+', '-'), fc.nat({ max: 23 }), fc.nat({ max: 59 }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), offset, (ms, [sign, hours, minutes]) => {
        const text = iso(ms).replace('Z', `${sign}${two(hours)}:${two(minutes)}`);
        expect(parseInstant(text)).to.equal(Date.parse(text));
      }),
    );
  });
});

describe('writing an instant', () => {
  it('writes UTC with milliseconds', () => {
    expect(iso(0)).to.equal('1970-01-01T00:00:00.000Z');
  });

  it('leaves an absent time absent', () => {
    expect(iso(null)).to.equal(null);
  });
});

describe('the start of a month', () => {
  const cases: [string, string][] = [
    ['2024-02-29T23:59:59.999Z', '2024-02-01T00:00:00.000Z'],
    ['2025-03-01T00:00:00.000Z', '2025-03-01T00:00:00.000Z'],
    ['2025-12-31T23:59:59.999Z', '2025-12-01T00:00:00.000Z'],
    ['1970-01-31T12:00:00.000Z', '1970-01-01T00:00:00.000Z'],
  ];
  for (const [moment, start] of cases) {
    it(`of ${moment} is ${start}`, () => {
      expect(iso(monthStart(Date.parse(moment)))).to.equal(start);
    });
  }
});
