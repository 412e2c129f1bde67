import { expect } from 'chai';
import { csvLine } from '../../app/domain/csv.ts';
import fc from '../support/properties.ts';

/**
 * The cells of a file as a spreadsheet reads it that separates by this character: quotes count where a cell begins, and
 * what follows the closing quote belongs to the cell as it is.
 */
function cellsBy(separator: string, file: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let state: 'start' | 'quoted' | 'plain' = 'start';
  for (let i = 0; i < file.length; i++) {
    const one = file[i] ?? '';
    if (state === 'quoted') {
      if (one !== '"') cell += one;
      else if (file[i + 1] === '"') cell += file[++i] ?? '';
      else state = 'plain';
    } else if (one === separator || one === '\r' || one === '\n') {
      cells.push(cell);
      [cell, state] = ['', 'start'];
    } else if (one === '"' && state === 'start') state = 'quoted';
    else [cell, state] = [cell + one, 'plain'];
  }
  return [...cells, cell];
}

describe('a line of CSV', () => {
  it('keeps quotes, commas and line ends inside their cell, and leaves what is not there empty', () => {
    expect(csvLine(['a "b", c', 'one\ntwo', null, ''])).to.equal('"a ""b"", c","one\ntwo",,""\r\n');
  });

  for (const text of ['=1+1', '+1', '-1', '@sum', '  =1', '＝1', '＋1', '－1', '＠x']) {
    it(`cannot become a formula: ${JSON.stringify(text)}`, () => {
      expect(csvLine([text])).to.equal(`"'${text}"\r\n`);
    });
  }

  for (const [text, safe] of [
    ['a;=1', "a;'=1"],
    ['a; =1', "a;' =1"],
    ['a;"=1"', 'a;\'"=1"'],
    ['a；＝1', "a；'＝1"],
    ['a\t=1', "a\t'=1"],
    ['a\n-1', "a\n'-1"],
    ['\t=1', "'\t'=1"],
    ['\r=1', "'\r'=1"],
    ['\tx', "'\tx"],
    [';;@x', ";;'@x"],
  ] as const) {
    it(`cannot become a formula where a spreadsheet cuts it: ${JSON.stringify(text)}`, () => {
      expect(csvLine([text])).to.equal(`"${safe.replaceAll('"', '""')}"\r\n`);
    });
  }

  for (const text of ['read', 'a=1', '{"a":"=1"}', '127.0.0.1', 'a;b', 'a; b-c', 'Mozilla/5.0 (X11; Linux)']) {
    it(`leaves ${text} as it is`, () => expect(csvLine([text])).to.equal(`"${text.replaceAll('"', '""')}"\r\n`));
  }

  it('has no cell that begins a formula, whatever is in it and whichever character separates', () => {
    const part = fc.constantFrom(
      'a',
      '=',
      '-',
      '＝',
      '@',
      ';',
      '；',
      '\t',
      '\r',
      '\n',
      ' ',
      '"',
      '""',
      ',',
      "'",
      '\u00a0',
    );
    const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(fc.option(text), { minLength: 1, maxLength: 4 }), (cells) => {
        const file = csvLine(cells);
        for (const separator of [',', ';', '\t']) {
          for (const cell of cellsBy(separator, file)) expect(cell).not.to.match(/^[\s"]*[=+\-@＝＋－＠]/);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
