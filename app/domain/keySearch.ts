import { maskKey, parseKey } from './token.ts';

/** The part of a key's shown text that a search may mean. */
export interface ShownPart {
  /** What the key's prefix begins with. */
  prefix?: string;
  lastFour?: string;
}

const LAST_FOUR = /^[0-9A-Za-z]{4}$/;
const PREFIX = /^[\w-]+$/;
const MASK = /^([\w-]*)(?:…|\.{3})([0-9A-Za-z]{4})$/;

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
 * The parts of a key's shown text that a search may mean: a mask, the beginning of a prefix, or the last four
 * characters.
 */
export function shownParts(text: string): ShownPart[] {
  const [, prefix = '', lastFour] = MASK.exec(text) ?? [];
  if (lastFour !== undefined) return [{ prefix, lastFour }];
  return [...(PREFIX.test(text) ? [{ prefix: text }] : []), ...(LAST_FOUR.test(text) ? [{ lastFour: text }] : [])];
}
