import { isId } from './id.ts';
import { maskKey, parseKey } from './token.ts';

/** The part of a key's shown text that a search may mean. */
export interface ShownPart {
  /** What the key's prefix begins with. */
  prefix?: string;
  lastFour?: string;
}

const LAST_FOUR = /^[0-9A-Za-z]{4}$/;
const PREFIX = /^[\w-]+$/;
const MASK = /^([\w~+/=-]*)(?:…|\.{3})([\w.~+/=-]{4})$/;

const TOKEN = /[\w.~+/-]{20,}={0,2}/g;
/** A change between lower case, upper case and digits, of which a random text has many and a name few. */
const CHANGE = /[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])/g;
const LEAST_CHANGES = 5;
const MOST_SHOWN = 8;

/**
 * The text to search keys for; undefined where it is empty. A whole key in it is replaced by its mask, so that the key is
 * neither searched for nor shown again.
 */
export function searchText(text: string | undefined, installationPrefix: string): string | undefined {
  if (text === undefined || text === '') return undefined;
  for (const word of text.match(/\w+/g) ?? []) {
    const shown = parseKey(word, installationPrefix);
    if (shown) return maskKey(shown.keyPrefix, shown.lastFour);
  }
  return text;
}

/**
 * A text to search for by hand, cut to the beginning and the last four characters of what looks like a token in it, since that
 * may be a key that was issued elsewhere; `public/scripts/keySearch.js` does the same before anything is sent.
 */
export function withoutToken(text: string): string {
  const token = text.match(TOKEN)?.find((word) => !isId(word) && looksRandom(word));
  return token === undefined ? text : maskKey(token.slice(0, shownOf(token)), token.slice(-4));
}

function looksRandom(word: string): boolean {
  return /\d/.test(word) && (word.match(CHANGE) ?? []).length >= LEAST_CHANGES;
}

/** A quarter at most, so that the rest of a short token cannot be guessed. */
function shownOf(token: string): number {
  return Math.min(MOST_SHOWN, Math.floor(token.length / 4));
}

/**
 * The parts of a key's shown text that a search may mean: a mask, the beginning of a prefix, or the last four
 * characters.
 */
export function shownParts(text: string): ShownPart[] {
  const [, prefix = '', lastFour] = MASK.exec(text) ?? [];
  if (lastFour !== undefined) return [{ prefix, lastFour }];
  return [...(PREFIX.test(text) ? [{ prefix: text }] : []), ...(LAST_FOUR.test(text) ? [{ lastFour: text }] : [])];
}
