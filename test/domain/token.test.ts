import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import fc from '../support/properties.ts';
import {
  KEY_PREFIX_PATTERN,
  hashKey,
  looksLikeKey,
  maskKey,
  maskKeysIn,
  mintKey,
  parseKey,
  sameHash,
  type Environment,
  type KeyStyle,
} from '../../app/domain/token.ts';

const BASE62_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIXES = ['fsk', 'trafi_sk', 'a', 'x9_2_y', 'live_key', 'abcdefghij0123456789'];
const ENVIRONMENTS: readonly Environment[] = ['live', 'test'];
const STYLES: readonly KeyStyle[] = PREFIXES.flatMap((prefix) => [
  { prefix, format: 'base62' as const },
  { prefix, format: 'hex' as const },
]);

/** Written out by another implementation (Python's zlib), so that both ends of the format are pinned. */
const KNOWN_KEYS = [
  ['fsk', 'fsk_live_000000000000000000000000001Up2VB', 'fsk_live_00000000', 'p2VB', 'live'],
  ['fsk', 'fsk_test_abcdefghijklmnopqrstuvwxyz3KLNZr', 'fsk_test_abcdefgh', 'LNZr', 'test'],
  ['fsk', 'fsk_live_0aB1cD2eF3gH4iJ5kL6mN7oP8q14P7re', 'fsk_live_0aB1cD2e', 'P7re', 'live'],
  ['acme_sk', 'acme_sk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZ4SrIc0', 'acme_sk_live_ABCDEFGH', 'rIc0', 'live'],
  // Small checksums keep their leading zeros.
  ['fsk', 'fsk_live_00000000000000000000000083004QRz', 'fsk_live_00000000', '4QRz', 'live'],
  ['fsk', 'fsk_000000000000000000000000000000000000000000000000000001b4000f95c4', 'fsk_00000000', '95c4', undefined],
  ['fsk', 'fsk_ffffffffffffffffffffffffffffffffffffffffffffffffffffffff497a2516', 'fsk_ffffffff', '2516', undefined],
  [
    'trafi_sk',
    'trafi_sk_0123456789abcdef0123456789abcdef0123456789abcdef0123456707368acb',
    'trafi_sk_01234567',
    '8acb',
    undefined,
  ],
] as const;

/** A base62 key made by hand around any random part, with a checksum that fits. */
function sealedByHand(sealed: string): string {
  let checksum = '';
  for (let rest = crc32(sealed); checksum.length < 6; rest = Math.floor(rest / 62)) {
    checksum = BASE62_DIGITS.charAt(rest % 62) + checksum;
  }
  return sealed + checksum;
}

function replaceAt(text: string, at: number, part: string, removed = 1): string {
  return text.slice(0, at) + part + text.slice(at + removed);
}

function expectRefused(text: string, prefix: string): void {
  if (parseKey(text, prefix) !== undefined) expect.fail(`${JSON.stringify(text)} was taken for a key`);
}

describe('Key text', () => {
  describe('a minted key', () => {
    for (const style of STYLES) {
      for (const environment of ENVIRONMENTS) {
        it(`has the documented form: ${style.prefix}, ${style.format}, ${environment}`, () => {
          const { key, ...shown } = mintKey(style, environment);
          const form =
            style.format === 'base62'
              ? new RegExp(`^${style.prefix}_${environment}_[0-9A-Za-z]{32}$`)
              : new RegExp(`^${style.prefix}_[0-9a-f]{64}$`);
          expect(key).to.match(form);
          const randomStart = key.length - (style.format === 'base62' ? 32 : 64);
          expect(shown).to.deep.equal({
            keyPrefix: key.slice(0, randomStart + 8),
            lastFour: key.slice(-4),
            ...(style.format === 'base62' && { environment }),
          });
          expect(parseKey(key, style.prefix)).to.deep.equal(shown);
          expect(looksLikeKey(key, style.prefix)).to.equal(true);
        });
      }
    }

    it('always parses to what it was said to show', () => {
      fc.assert(
        fc.property(fc.constantFrom(...STYLES), fc.constantFrom(...ENVIRONMENTS), (style, environment) => {
          const { key, ...shown } = mintKey(style, environment);
          expect(parseKey(key, style.prefix)).to.deep.equal(shown);
        }),
        { numRuns: 500 },
      );
    });

    it('never comes twice', () => {
      for (const format of ['base62', 'hex'] as const) {
        const keys = Array.from({ length: 10_000 }, () => mintKey({ prefix: 'fsk', format }, 'live').key);
        expect(new Set(keys).size).to.equal(10_000);
      }
    });

    // Chi-square has a mean of one less than the digits and a deviation of sqrt(2 × mean). Ten deviations above the
    // mean happen by chance less than once in a hundred million runs; taking bytes modulo 62 would give about 1,700.
    for (const [format, digits, randomStart, random] of [
      ['base62', BASE62_DIGITS, 9, 26],
      ['hex', '0123456789abcdef', 4, 56],
    ] as const) {
      it(`uses every ${format} digit equally often, at every place`, () => {
        const keys = 10_000;
        const counts = new Map(Array.from(digits, (digit) => [digit, 0]));
        const seen = new Set<string>();
        for (let made = 0; made < keys; made++) {
          const text = mintKey({ prefix: 'fsk', format }, 'live').key.slice(randomStart, randomStart + random);
          for (let place = 0; place < random; place++) {
            const digit = text.charAt(place);
            counts.set(digit, (counts.get(digit) ?? 0) + 1);
            seen.add(`${place}${digit}`);
          }
        }
        const expected = (keys * random) / digits.length;
        const mean = digits.length - 1;
        const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
        expect(counts.size).to.equal(digits.length);
        expect(chiSquare).to.be.below(mean + 10 * Math.sqrt(2 * mean));
        expect(seen.size).to.equal(random * digits.length);
      });
    }
  });

  describe('a known key', () => {
    for (const [prefix, key, keyPrefix, lastFour, environment] of KNOWN_KEYS) {
      it(`parses: ${key}`, () => {
        expect(parseKey(key, prefix)).to.deep.equal({ keyPrefix, lastFour, ...(environment && { environment }) });
      });
    }

    it('is read in either format, whichever is issued now', () => {
      expect(parseKey(mintKey({ prefix: 'fsk', format: 'hex' }, 'test').key, 'fsk')).not.to.equal(undefined);
      expect(parseKey(mintKey({ prefix: 'fsk', format: 'base62' }, 'test').key, 'fsk')).not.to.equal(undefined);
    });

    it('is refused under another prefix', () => {
      for (const [prefix, key] of KNOWN_KEYS) {
        for (const other of ['', 'fs', 'fska', 'FSK', 'gsk', `${prefix}_`, `${prefix}_live`, `x${prefix}`, 'acme']) {
          expectRefused(key, other);
        }
      }
    });
  });

  describe('a damaged key is refused', () => {
    // One sealed key of each form; what holds for these holds for all, CRC32 being linear.
    const samples = STYLES.map((style) => ({ prefix: style.prefix, key: mintKey(style, 'live').key }));
    const characters = [
      ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)),
      '\n',
      '\t',
      '\0',
      'é',
      '\u0430',
    ];

    it('with any one character changed', () => {
      for (const { key, prefix } of samples) {
        for (let at = 0; at < key.length; at++) {
          for (const character of characters) {
            if (character !== key[at]) expectRefused(replaceAt(key, at, character), prefix);
          }
        }
      }
    });

    it('with a letter, a part or all of it in the other case', () => {
      for (const { key, prefix } of samples) {
        expectRefused(key.toUpperCase(), prefix);
        for (let at = 0; at < key.length; at++) {
          const lower = key.charAt(at).toLowerCase();
          const swapped = lower === key[at] ? lower.toUpperCase() : lower;
          if (swapped !== key[at]) expectRefused(replaceAt(key, at, swapped), prefix);
          const rest = key.slice(at).toUpperCase();
          if (rest !== key.slice(at)) expectRefused(key.slice(0, at) + rest, prefix);
        }
      }
    });

    it('with one character more or less', () => {
      for (const { key, prefix } of samples) {
        for (let at = 0; at <= key.length; at++) {
          if (at < key.length) expectRefused(replaceAt(key, at, ''), prefix);
          for (const character of characters) expectRefused(replaceAt(key, at, character, 0), prefix);
        }
      }
    });

    it('with two neighbours swapped', () => {
      for (const { key, prefix } of samples) {
        for (let at = 0; at + 1 < key.length; at++) {
          const swapped = replaceAt(key, at, key.charAt(at + 1) + key.charAt(at), 2);
          if (swapped !== key) expectRefused(swapped, prefix);
        }
      }
    });

    it('with its environment changed', () => {
      for (const prefix of PREFIXES) {
        const { key } = mintKey({ prefix, format: 'base62' }, 'live');
        expectRefused(key.replace(`${prefix}_live_`, `${prefix}_test_`), prefix);
        expectRefused(key.replace(`${prefix}_live_`, `${prefix}_prod_`), prefix);
        expectRefused(sealedByHand(`${prefix}_prod_${'a'.repeat(26)}`), prefix);
      }
    });

    it('with white space or quotes around it', () => {
      for (const { key, prefix } of samples) {
        for (const around of [' ', '\t', '\n', '\r\n', '\u00a0', '\u200b', '\ufeff', '"', "'"]) {
          expectRefused(around + key, prefix);
          expectRefused(key + around, prefix);
          expectRefused(key.slice(0, -around.length) + around, prefix);
        }
      }
    });

    it('with look-alikes from elsewhere in Unicode', () => {
      for (const { key, prefix } of samples) {
        for (let at = 0; at < key.length; at++) {
          const code = key.charCodeAt(at);
          expectRefused(replaceAt(key, at, String.fromCharCode(code + 0xfee0)), prefix);
          expectRefused(replaceAt(key, at, String.fromCharCode(code + 0x100)), prefix);
          expectRefused(replaceAt(key, at, `${key.charAt(at)}\u0301`), prefix);
          expectRefused(replaceAt(key, at, `${key.charAt(at)}\u0301`, 2), prefix);
        }
      }
    });

    it('even when its checksum was made to fit', () => {
      const filler = 'a'.repeat(25);
      expect(parseKey(sealedByHand(`fsk_live_${filler}a`), 'fsk')).not.to.equal(undefined);
      for (const character of ['_', '-', ' ', '.', '+', '/', '=', '\n', '\0', 'é', '\u0430', '\uff10']) {
        expectRefused(sealedByHand(`fsk_live_${filler}${character}`), 'fsk');
        expectRefused(sealedByHand(`fsk_live_${character}${filler}`), 'fsk');
      }
      expectRefused(sealedByHand(`fsk_LIVE_${filler}a`), 'fsk');
      expectRefused(sealedByHand(`fsk-live_${filler}a`), 'fsk');
      expectRefused(sealedByHand(`fsk_live-${filler}a`), 'fsk');
      expectRefused(sealedByHand(`gsk_live_${filler}a`), 'fsk');
      const upperHex = `fsk_${'A'.repeat(56)}`;
      expectRefused(upperHex + crc32(upperHex).toString(16).padStart(8, '0'), 'fsk');
    });

    it('with a checksum past 32 bits that would only fit after wrapping', () => {
      const sealed = `fsk_live_${'a'.repeat(26)}`;
      for (const turns of [1, 2, 12]) {
        let checksum = '';
        for (let rest = crc32(sealed) + turns * 2 ** 32; checksum.length < 6; rest = Math.floor(rest / 62)) {
          checksum = BASE62_DIGITS.charAt(rest % 62) + checksum;
        }
        expectRefused(sealed + checksum, 'fsk');
      }
    });
  });

  it('refuses any other text without throwing', () => {
    for (const text of ['', '_', 'fsk', 'fsk_', 'fsk_live_', `fsk_live_${'0'.repeat(32)}`, `fsk_${'0'.repeat(64)}`]) {
      expectRefused(text, 'fsk');
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 0, maxLength: 80 }), (text) => {
        expectRefused(text, 'fsk');
        expectRefused(`fsk_${text}`, 'fsk');
        expectRefused(`fsk_live_${text}`, 'fsk');
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...Array.from(BASE62_DIGITS)), { minLength: 32, maxLength: 32 }),
        (digits) => {
          expectRefused(`fsk_live_${digits.join('')}`, 'fsk');
        },
      ),
    );
  });

  describe('looksLikeKey', () => {
    it('takes whatever starts with the prefix and its underscore, and nothing else', () => {
      for (const text of ['fsk_', 'fsk_x', 'fsk_live_', 'fsk_a.b.c']) expect(looksLikeKey(text, 'fsk')).to.equal(true);
      for (const text of ['', 'fsk', 'fskx', 'fs_k', 'FSK_live_', ' fsk_live_', 'fsk-live', '_fsk_', 'xfsk_']) {
        expect(looksLikeKey(text, 'fsk'), text).to.equal(false);
      }
    });

    it('leaves a JWT to the JWT reader', () => {
      const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
      for (const prefix of [...PREFIXES, 'e', 'ey']) expect(looksLikeKey(jwt, prefix)).to.equal(false);
    });
  });

  describe('KEY_PREFIX_PATTERN', () => {
    it('admits lower-case words joined by single underscores', () => {
      for (const prefix of [...PREFIXES, 'f', 'f1', 'sk_2', 'alive', 'latest', 'fsk_latest', 'test_fsk', 'a_live_b']) {
        expect(prefix).to.match(KEY_PREFIX_PATTERN);
      }
    });

    it('refuses what would not be one word to a reader or a header', () => {
      const others = [
        '',
        '_',
        '_fsk',
        'fsk_',
        'f__k',
        '1fsk',
        'Fsk',
        'FSK',
        'f-k',
        'f k',
        'fsk\n',
        'fsk.',
        'é',
        'a'.repeat(21),
      ];
      for (const prefix of others) expect(prefix).not.to.match(KEY_PREFIX_PATTERN);
    });

    it('refuses a last word that would pass for an environment', () => {
      for (const prefix of ['live', 'test', 'fsk_live', 'fsk_test', 'a_b_test']) {
        expect(prefix).not.to.match(KEY_PREFIX_PATTERN);
      }
    });
  });

  describe('hashKey', () => {
    it('is SHA-256', () => {
      expect(hashKey('abc').toString('hex')).to.equal(
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
    });

    it('gives 32 bytes, the same for the same key only', () => {
      const { key } = mintKey({ prefix: 'fsk', format: 'base62' }, 'live');
      expect(hashKey(key)).to.have.lengthOf(32);
      expect(hashKey(key).equals(createHash('sha256').update(key).digest())).to.equal(true);
      expect(hashKey(key).equals(hashKey(`${key} `))).to.equal(false);
    });
  });

  describe('sameHash', () => {
    it('holds for equal bytes, in whatever kind of byte array', () => {
      expect(sameHash(hashKey('a'), hashKey('a'))).to.equal(true);
      expect(sameHash(hashKey('a'), new Uint8Array(hashKey('a')))).to.equal(true);
    });

    it('fails for any other byte or length, without throwing', () => {
      const hashed = hashKey('a');
      for (let at = 0; at < hashed.length; at++) {
        const other = Buffer.from(hashed);
        other.writeUInt8((other.readUInt8(at) + 1) % 256, at);
        expect(sameHash(hashed, other)).to.equal(false);
      }
      expect(sameHash(hashed, hashed.subarray(0, 31))).to.equal(false);
      expect(sameHash(hashed.subarray(0, 31), hashed)).to.equal(false);
      expect(sameHash(hashed, new Uint8Array(0))).to.equal(false);
    });
  });

  it('masks a key as its beginning and its last four', () => {
    expect(maskKey('fsk_live_abcdefgh', 'wxyz')).to.equal('fsk_live_abcdefgh…wxyz');
    expect(maskKey('trafi_sk_01234567', '8acb')).to.equal('trafi_sk_01234567…8acb');
  });

  it('masks every whole key in a text, wherever it stands, and leaves all else as it is', () => {
    const keys = STYLES.filter(({ prefix }) => prefix === 'fsk').flatMap((style) =>
      ENVIRONMENTS.map((environment) => mintKey(style, environment)),
    );
    for (const { key, keyPrefix, lastFour } of keys) {
      const mask = maskKey(keyPrefix, lastFour);
      const around = (text: string) => `a fsk_ ${text}, fsk_fsk_${text}%20${text}x${text}`;
      expect(maskKeysIn(around(key), 'fsk')).to.equal(around(mask));
      expect(maskKeysIn(key, 'fsk')).to.equal(mask);
      const broken = `${key.slice(0, -1)}-`;
      expect(maskKeysIn(broken, 'fsk')).to.equal(broken);
    }
    expect(maskKeysIn('fsk_'.repeat(10_000), 'fsk')).to.equal('fsk_'.repeat(10_000));
  });
});
