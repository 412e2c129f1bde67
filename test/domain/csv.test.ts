import { expect } from 'chai';
import { csvLine } from '../../app/domain/csv.ts';

describe('a line of CSV', () => {
  it('keeps quotes, commas and line ends inside their cell, and leaves what is not there empty', () => {
    expect(csvLine(['a "b", c', 'one\ntwo', null, ''])).to.equal('"a ""b"", c","one\ntwo",,""\r\n');
  });

  for (const text of ['=1+1', '+1', '-1', '@sum', '\t=1', '\r=1', '  =1', '\n=1', '＝1', '＋1', '－1', '＠x']) {
    it(`cannot become a formula: ${JSON.stringify(text)}`, () => {
      expect(csvLine([text])).to.equal(`"'${text}"\r\n`);
    });
  }

  for (const text of ['read', 'a=1', '{"a":"=1"}', '127.0.0.1']) {
    it(`leaves ${text} as it is`, () => expect(csvLine([text])).to.equal(`"${text.replaceAll('"', '""')}"\r\n`));
  }
});
