import { expect } from 'chai';
import fc from '../support/properties.ts';
import { z } from 'zod';
import { cleanName, cleanText, FreeText, Name, nameProblem, textProblem } from '../../app/domain/text.ts';

const CONTROLS = [...Array(0x20).keys(), ...[...Array(0x21).keys()].map((i) => 0x7f + i)].map((c) =>
  String.fromCharCode(c),
);
const LAYOUT = ['\n', '\t', '\r'];
const OVERRIDES = ['\u202A', '\u202B', '\u202C', '\u202D', '\u202E', '\u2066', '\u2067', '\u2068', '\u2069'];
const anyText = fc.string({ unit: 'binary', maxLength: 130 });

function shown(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16) ?? ''}}`);
}

describe('a name', () => {
  const welcome = [
    'CI',
    'Zapier – production',
    'مفتاح الإنتاج',
    'מפתח',
    '本番キー',
    'Ключ №1',
    '🚀',
    '👩‍👩‍👧 family',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    'a\u200Fb',
    '<b>"&\'',
    '__proto__',
  ];
  for (const name of welcome) {
    it(`${shown(name)} is welcome and stays as it is`, () => {
      expect(nameProblem(name)).to.equal(undefined);
      expect(Name.parse(name)).to.equal(name);
    });
  }

  it('is trimmed and composed', () => {
    expect(Name.parse('  Cafe\u0301 \n')).to.equal('Caf\u00E9');
    expect(cleanName('\u00A0\uFEFFx\u3000')).to.equal('x');
  });

  it('has 1 to 100 characters, an emoji being one', () => {
    expect(nameProblem('x')).to.equal(undefined);
    expect(nameProblem('x'.repeat(100))).to.equal(undefined);
    expect(nameProblem('x'.repeat(101))).to.equal('too_long');
    expect(nameProblem('🚀'.repeat(100))).to.equal(undefined);
    expect(nameProblem('🚀'.repeat(101))).to.equal('too_long');
  });

  it('is measured as it will be kept', () => {
    expect(nameProblem(` ${'x'.repeat(100)} `)).to.equal(undefined);
    expect(nameProblem('e\u0301'.repeat(100))).to.equal(undefined);
    expect(nameProblem('\u0958'.repeat(51)), 'composed, each of these is two characters').to.equal('too_long');
  });

  for (const nothing of ['', ' ', '\n', '\u200B', '\u00AD\u2060', ' \u200E ', '\uFE0F', '\u3164']) {
    it(`is not empty to the eye: ${shown(nothing)}`, () => {
      expect(nameProblem(nothing)).to.equal('empty');
    });
  }

  it('holds no control character', () => {
    expect(CONTROLS).to.have.length(65);
    for (const control of [...CONTROLS, '\u2028', '\u2029'])
      expect(nameProblem(`a${control}b`), shown(control)).to.equal('control_character');
  });

  it('holds nothing that turns the direction of writing', () => {
    for (const override of OVERRIDES)
      expect(nameProblem(`a${override}b`), shown(override)).to.equal('direction_override');
    for (const mark of ['\u200E', '\u200F', '\u061C'])
      expect(nameProblem(`a${mark}b`), shown(mark)).to.equal(undefined);
  });

  it('holds no half of a character', () => {
    for (const broken of ['\uD800', 'a\uD83D', '\uDE80a', '\uDE80\uD83D'])
      expect(nameProblem(broken), shown(broken)).to.equal('broken_character');
  });
});

describe('free text', () => {
  it('takes newlines and tabs, and writes every line end as a newline', () => {
    expect(FreeText(50).parse(' one\r\ntwo\rthree\n\n\tfour\t')).to.equal('one\ntwo\nthree\n\n\tfour');
  });

  it('holds no other control character', () => {
    for (const control of CONTROLS) {
      const expected = LAYOUT.includes(control) ? undefined : 'control_character';
      expect(textProblem(`a${control}b`, 50), shown(control)).to.equal(expected);
    }
  });

  it('is bound by the other rules of a name', () => {
    expect(textProblem(' \n ', 50)).to.equal('empty');
    expect(textProblem('a\u202Eb', 50)).to.equal('direction_override');
    expect(textProblem('a\uD800', 50)).to.equal('broken_character');
    expect(textProblem('🚀'.repeat(50), 50)).to.equal(undefined);
    expect(textProblem('🚀'.repeat(51), 50)).to.equal('too_long');
  });

  it('counts a line end once', () => {
    expect(textProblem('a\r\nb', 3)).to.equal(undefined);
  });
});

describe('text as input', () => {
  it('is refused by the name of its problem, with what fills its text', () => {
    const [issue] = FreeText(5).safeParse('too long').error?.issues ?? [];
    expect(issue).to.include({ code: 'custom', message: 'too_long' });
    expect(issue).to.have.deep.property('params', { max: 5 });
  });

  it('reports one problem at a time, and only of strings', () => {
    expect(Name.safeParse('\u202E\0').error?.issues).to.have.length(1);
    expect(Name.safeParse(7).error?.issues).to.have.length(1);
  });

  it('never repeats the text in its sentence', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 30 }), (text) => {
        for (const { message } of FreeText(20).safeParse(text).error?.issues ?? [])
          expect(message).not.to.include(text);
      }),
    );
  });

  it('describes its length in JSON Schema', () => {
    expect(z.toJSONSchema(Name)).to.include({ type: 'string', minLength: 1, maxLength: 100 });
    expect(z.toJSONSchema(FreeText(500).nullable().optional())).to.have.nested.property('anyOf[0].maxLength', 500);
  });

  it('that was accepted is clean already, and is accepted again unchanged', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const [schema, clean] of [
          [Name, cleanName],
          [FreeText(120), cleanText],
        ] as const) {
          const { data } = schema.safeParse(text);
          if (data !== undefined) {
            expect(clean(data)).to.equal(data);
            expect(schema.parse(data)).to.equal(data);
            expect(Buffer.from(data, 'utf8').toString('utf8')).to.equal(data);
          }
        }
      }),
    );
  });
});
