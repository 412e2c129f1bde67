import { expect } from 'chai';
import { searchText, shownParts } from '../../app/domain/keySearch.ts';
import { mintKey } from '../../app/domain/token.ts';

describe('a text that keys are searched by', () => {
  for (const format of ['base62', 'hex'] as const) {
    it(`becomes the mask of the key where it holds a whole ${format} key`, () => {
      const { key, keyPrefix, lastFour } = mintKey({ prefix: 'fsk', format }, 'live');
      for (const text of [key, `Bearer ${key}`, `"${key}",`, `x-api-key: ${key}`]) {
        expect(searchText(text, 'fsk'), text).to.equal(`${keyPrefix}…${lastFour}`);
      }
    });
  }

  it('stays as it is where it holds no key of this installation', () => {
    const { key } = mintKey({ prefix: 'fsk', format: 'base62' }, 'live');
    expect(searchText(key, 'other')).to.equal(key);
    expect(searchText('nightly export', 'fsk')).to.equal('nightly export');
  });

  it('is none where it is empty', () => {
    expect(searchText('', 'fsk')).to.equal(undefined);
    expect(searchText(undefined, 'fsk')).to.equal(undefined);
  });

  it('may be the mask of a key with either ellipsis, the beginning of its prefix or its last four characters', () => {
    const mask = [{ prefix: 'fsk_live_aB3dE6gH', lastFour: 'wX9z' }];
    expect(shownParts('fsk_live_aB3dE6gH…wX9z')).to.deep.equal(mask);
    expect(shownParts('fsk_live_aB3dE6gH...wX9z')).to.deep.equal(mask);
    expect(shownParts('…wX9z')).to.deep.equal([{ prefix: '', lastFour: 'wX9z' }]);
    expect(shownParts('fsk_live_')).to.deep.equal([{ prefix: 'fsk_live_' }]);
    expect(shownParts('wX9z')).to.deep.equal([{ prefix: 'wX9z' }, { lastFour: 'wX9z' }]);
    expect(shownParts('nightly export')).to.deep.equal([]);
    expect(shownParts('é…wX9')).to.deep.equal([]);
  });
});
