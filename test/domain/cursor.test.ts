import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from '../support/properties.ts';
import { decodeCursor, encodeCursor } from '../../app/domain/cursor.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const BINDING = 'tenant-1 action=LOGIN';

const position = fc.record({
  at: fc.maxSafeNat(),
  id: fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
    minLength: 1,
    maxLength: 64,
  }),
});

describe('a paging cursor', () => {
  it('gives back the position it was made of', () => {
    fc.assert(
      fc.property(position, fc.string(), (row, binding) => {
        expect(decodeCursor(encodeCursor(row, binding), binding)).to.deep.equal(row);
      }),
    );
  });

  it('is plain in a URL', () => {
    fc.assert(
      fc.property(position, fc.string(), (row, binding) => {
        expect(encodeCursor(row, binding)).to.match(/^[\w-]+$/);
      }),
    );
  });

  it('is refused under any other binding', () => {
    fc.assert(
      fc.property(position, fc.string(), fc.string(), (row, binding, other) => {
        fc.pre(binding !== other);
        expect(decodeCursor(encodeCursor(row, binding), other)).to.equal(undefined);
      }),
    );
  });

  it('is refused when any character of it changed, was lost or was added', () => {
    const cursor = encodeCursor({ at: 1_767_322_800_000, id: ID }, BINDING);
    for (let i = 0; i < cursor.length; i++) {
      const other = cursor[i] === 'A' ? 'B' : 'A';
      expect(decodeCursor(cursor.slice(0, i) + other + cursor.slice(i + 1), BINDING), `changed at ${i}`).to.equal(
        undefined,
      );
      expect(decodeCursor(cursor.slice(0, i), BINDING), `cut at ${i}`).to.equal(undefined);
    }
    for (const added of [`${cursor}A`, `${cursor}=`, `${cursor}==`, `${cursor}\n`, ` ${cursor}`, `${cursor}!`])
      expect(decodeCursor(added, BINDING), JSON.stringify(added)).to.equal(undefined);
  });

  it('is refused in the other base64 alphabet, so that one position has one text', () => {
    const at = [...Array(200).keys()].find((n) => /[-_]/.test(encodeCursor({ at: n, id: ID }, BINDING))) ?? 0;
    const cursor = encodeCursor({ at, id: ID }, BINDING);
    const twin = cursor.replaceAll('-', '+').replaceAll('_', '/');
    expect(twin).not.to.equal(cursor);
    expect(decodeCursor(twin, BINDING)).to.equal(undefined);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeCursor(text, BINDING)).to.equal(undefined);
      }),
    );
  });

  it('never holds a position that was not written by it, even under a matching digest', () => {
    const forged = [
      '',
      '.',
      '1',
      '1.',
      '.a',
      '-1.a',
      '01.a',
      '1.5.a',
      '1e3.a',
      ' 1.a',
      '1.a b',
      '1.a\n',
      '9007199254740993.a',
    ];
    for (const inner of [...forged, '1.é', `1.${'a'.repeat(65)}`]) {
      const digest = createHash('sha256').update(`${inner}\0${BINDING}`).digest().subarray(0, 9);
      const text = Buffer.concat([digest, Buffer.from(inner, 'latin1')]).toString('base64url');
      const read = decodeCursor(text, BINDING);
      // `1.5.a` is a good one: the row 5.a at 1.
      expect(read, JSON.stringify(inner)).to.deep.equal(inner === '1.5.a' ? { at: 1, id: '5.a' } : undefined);
    }
  });

  it('refuses long text as it refuses any other', () => {
    expect(decodeCursor('A'.repeat(1_000_000), BINDING)).to.equal(undefined);
  });

  it('is not made of what it could not give back', () => {
    const wrong = [
      { at: -1, id: ID },
      { at: 1.5, id: ID },
      { at: Number.NaN, id: ID },
      { at: 2 ** 53, id: ID },
    ];
    for (const row of [...wrong, { at: 1, id: '' }, { at: 1, id: 'a b' }, { at: 1, id: 'é' }])
      expect(() => encodeCursor(row, BINDING), JSON.stringify(row)).to.throw(RangeError);
  });
});
