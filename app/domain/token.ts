import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type KeyFormat = 'base62' | 'hex';
export type Environment = 'live' | 'test';

export interface KeyStyle {
  prefix: string;
  format: KeyFormat;
}

/** The part of a key that is stored and shown; the environment is written only into base62 keys. */
export interface KeyText {
  keyPrefix: string;
  lastFour: string;
  environment?: Environment;
}

/** How the part of a key after its head is written: random digits, then the checksum's. */
interface Layout {
  digits: string;
  values: Uint8Array;
  random: number;
  checksum: number;
}

const NO_DIGIT = 255;
const ENVIRONMENT_LENGTH = 'live_'.length;
const SHOWN_RANDOM = 8;

const BASE62 = layoutOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 26, 6);
const HEX = layoutOf('0123456789abcdef', 56, 8);
/** How long a key is behind its prefix and the underscore. */
const WHOLE_LENGTHS = [ENVIRONMENT_LENGTH + BASE62.random + BASE62.checksum, HEX.random + HEX.checksum];

/**
 * What KEY_PREFIX may be. It never ends in an environment's name: `fsk_live` in hex would show the same
 * beginning as `fsk` in base62.
 */
export const KEY_PREFIX_PATTERN = /^(?=.{1,20}$)(?!(?:.*_)?(?:live|test)$)[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

/** Generates a random key in the installation's style. */
export function mintKey(style: KeyStyle, environment: Environment): KeyText & { key: string } {
  const inBase62 = style.format === 'base62';
  const layout = inBase62 ? BASE62 : HEX;
  const head = inBase62 ? `${style.prefix}_${environment}_` : `${style.prefix}_`;
  const sealed = head + randomText(layout);
  const key = sealed + writeNumber(crc32(sealed), layout);
  return { key, ...shown(key, head.length, inBase62 ? environment : undefined) };
}

/**
 * Says what a text shows of itself when it is a whole key of this deployment, checksum included; undefined for
 * anything else. Both formats are read, so that a change of KEY_FORMAT leaves issued keys working.
 */
export function parseKey(text: string, prefix: string): KeyText | undefined {
  const start = prefix.length + 1;
  switch (text.length - start) {
    case ENVIRONMENT_LENGTH + BASE62.random + BASE62.checksum:
      return looksLikeKey(text, prefix) ? parseBase62(text, start) : undefined;
    case HEX.random + HEX.checksum:
      return looksLikeKey(text, prefix) && isSealed(text, start, HEX) ? shown(text, start) : undefined;
    default:
      return undefined;
  }
}

/**
 * Whether a Bearer text starts like a key of this installation, well-formed or not: then it is never tried as a JWT.
 */
export function looksLikeKey(text: string, prefix: string): boolean {
  return text.startsWith(prefix) && text[prefix.length] === '_';
}

/** The only form in which a key is stored: SHA-256, 32 bytes. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** The same in hexadecimal, as keys are looked up. */
export function hexHashOf(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Compares two hashes in constant time; hashes of different lengths differ. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The masked display of a key: `fsk_live_abcdefgh…wxyz`. */
export function maskKey(keyPrefix: string, lastFour: string): string {
  return `${keyPrefix}…${lastFour}`;
}

/** The text with every whole key in it masked, wherever it stands: what is kept as it came may hold one by mistake. */
export function maskKeysIn(text: string, prefix: string): string {
  const head = `${prefix}_`;
  let masked = '';
  let kept = 0;
  for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, Math.max(kept, at + 1))) {
    for (const length of WHOLE_LENGTHS) {
      const end = at + head.length + length;
      const shown = parseKey(text.slice(at, end), prefix);
      if (!shown) continue;
      masked += text.slice(kept, at) + maskKey(shown.keyPrefix, shown.lastFour);
      kept = Math.min(end, text.length);
      break;
    }
  }
  return masked + text.slice(kept);
}

function layoutOf(digits: string, random: number, checksum: number): Layout {
  const values = new Uint8Array(128).fill(NO_DIGIT);
  for (let value = 0; value < digits.length; value++) values[digits.charCodeAt(value)] = value;
  return { digits, values, random, checksum };
}

function parseBase62(text: string, start: number): KeyText | undefined {
  const environment = environmentAt(text, start);
  const randomStart = start + ENVIRONMENT_LENGTH;
  return environment && isSealed(text, randomStart, BASE62) ? shown(text, randomStart, environment) : undefined;
}

function environmentAt(text: string, start: number): Environment | undefined {
  if (text.startsWith('live_', start)) return 'live';
  return text.startsWith('test_', start) ? 'test' : undefined;
}

/** Whether the random part holds digits only and the checksum is that of all the text before it. */
function isSealed(text: string, randomStart: number, layout: Layout): boolean {
  const checksumStart = randomStart + layout.random;
  return (
    readNumber(text, randomStart, checksumStart, layout) >= 0 &&
    readNumber(text, checksumStart, text.length, layout) === crc32(text.slice(0, checksumStart))
  );
}

/** The number written between two places (as near as a double comes to a long one), or -1 for anything but digits. */
function readNumber(text: string, from: number, to: number, { digits, values }: Layout): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const value = values[text.charCodeAt(at)] ?? NO_DIGIT;
    if (value === NO_DIGIT) return -1;
    number = number * digits.length + value;
  }
  return number;
}

function writeNumber(number: number, { digits, checksum }: Layout): string {
  let text = '';
  for (let rest = number; text.length < checksum; rest = Math.floor(rest / digits.length)) {
    text = digits.charAt(rest % digits.length) + text;
  }
  return text;
}

/** Bytes past the last whole multiple of the alphabet are thrown away: taken modulo they would favour its beginning. */
function randomText({ digits, random }: Layout): string {
  const fair = 256 - (256 % digits.length);
  let text = '';
  while (text.length < random) {
    // Eight spare bytes make a second round rarer than one key in a million.
    for (const byte of randomBytes(random + 8)) {
      if (byte < fair && text.length < random) text += digits.charAt(byte % digits.length);
    }
  }
  return text;
}

function shown(key: string, randomStart: number, environment?: Environment): KeyText {
  const text: KeyText = { keyPrefix: key.slice(0, randomStart + SHOWN_RANDOM), lastFour: key.slice(-4) };
  if (environment) text.environment = environment;
  return text;
}
