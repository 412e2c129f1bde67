import { expect } from 'chai';
import { readForwardedPath, readTypedPath, segmentsOf } from '../../app/domain/forwardedPath.ts';
import fc from '../support/properties.ts';
import vectors from '../vectors/forwardedPaths.json' with { type: 'json' };

describe('The path of a proxied request', () => {
  for (const { target, path, because } of vectors.paths) {
    it(`${JSON.stringify(target)} is ${path}: ${because}`, () => {
      expect(readForwardedPath(target)).to.deep.equal({ path });
    });
  }

  for (const { target, fault, because } of vectors.faults) {
    it(`${JSON.stringify(target)} is refused: ${because}`, () => {
      expect(readForwardedPath(target)).to.deep.equal({ fault });
    });
  }

  const target = fc.array(
    fc.constantFrom('/', '.', '..', '%2e', '%2F', '%41', '%c3%a9', '\\', ';', 'a', 'B', ':', '?', '%', '\u00e9'),
  );

  it('is left as it is once it is in its one spelling', () => {
    fc.assert(
      fc.property(target, (parts) => {
        const read = readForwardedPath(`/${parts.join('')}`);
        if ('path' in read) expect(readForwardedPath(read.path)).to.deep.equal(read);
      }),
      { numRuns: 500 },
    );
  });

  it('leads nowhere else when a server decodes and resolves it', () => {
    fc.assert(
      fc.property(target, (parts) => {
        const read = readForwardedPath(`/${parts.join('')}`);
        if (!('path' in read)) return;
        const resolved = new URL(read.path, 'http://host').pathname;
        expect(segmentsOf(resolved)).to.deep.equal(segmentsOf(read.path));
        expect(decodeURIComponent(read.path).split('/').length).to.equal(read.path.split('/').length);
      }),
      { numRuns: 500 },
    );
  });

  it('may be typed by people in any script', () => {
    expect(readTypedPath('/café/猫')).to.deep.equal({ path: '/caf%C3%A9/%E7%8C%AB' });
  });
});
