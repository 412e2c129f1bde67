import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { ROOT } from '../../app/root.ts';
import { searchText, shownParts, withoutToken } from '../../app/domain/keySearch.ts';
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

  it('is cut to its beginning and last four characters where it looks like a token, on the page and in the browser alike', () => {
    const inBrowser = withoutKeyOfBrowser();
    for (const [text, cut] of [
      ['sk_live_51HqLyjWDarjtT1zdp7dc', 'sk_live…p7dc'],
      ['Authorization: Bearer 3f2a9c41d07be65f8899aa01bb23cc45', '3f2a9c41…cc45'],
      ['x-api-key=Zm9vYmFyMTIzNDU2Nzg5MA==', 'Zm9vYm…MA=='],
      ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N', 'eyJhbGci…0w5N'],
      // Names, external ids, ids and masks are searched for as they are.
      ['nightly export to the warehouse of 2026', undefined],
      ['billing-worker-2026-q1-production-eu', undefined],
      ['TheNightlyExportOfAllTheOrders', undefined],
      ['0192f3c4-5a6b-7c8d-9e0f-1a2b3c4d5e6f', undefined],
      ['fsk_live_aB3dE6gH…wX9z', undefined],
      ['cus_NffrFeUfNV2Hib', undefined],
    ] as const) {
      expect(withoutToken(text), text).to.equal(cut ?? text);
      expect(inBrowser(text, 'fsk'), text).to.equal(cut ?? text);
    }
    expect(inBrowser('sk_live…p7dcXY', 'fsk'), 'typed on').to.equal('sk_live…dcXY');
  });

  /** The function of the page's script, which is run without the page. */
  function withoutKeyOfBrowser(): (text: string, prefix: string) => string {
    const source = readFileSync(path.join(ROOT, 'public/scripts/keySearch.js'), 'utf8').replace('export ', '');
    const run = runInNewContext(`${source}; withoutKey`, {
      document: { addEventListener: () => undefined },
    }) as unknown;
    return run as (text: string, prefix: string) => string;
  }

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
