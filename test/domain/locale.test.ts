import { expect } from 'chai';
import { localeOfHeader } from '../../app/domain/locale.ts';

describe('the language of a browser', () => {
  const cases: Record<string, string> = {
    fr: 'fr',
    'fr-CA,fr;q=0.9,en;q=0.8': 'fr',
    'en-GB,fr;q=0.9': 'en',
    'de,fr;q=0.5,en;q=0.4': 'fr',
    'fr;q=0,en;q=0.1': 'en',
    'FR-fr': 'fr',
    'de,*': 'en',
    '': 'en',
    ';;q=,,=': 'en',
    'fr;q=abc': 'en',
  };
  for (const [header, locale] of Object.entries(cases)) {
    it(`${JSON.stringify(header)} is ${locale}`, () => expect(localeOfHeader(header)).to.equal(locale));
  }
});
