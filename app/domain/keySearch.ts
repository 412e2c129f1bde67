import { maskKey, parseKey } from './token.ts';

/** What a text to search for says of the keys that it may mean by what they show of themselves. */
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

/** Which keys a text may mean by what they show: the mask of one, the beginning of its prefix, or its last four characters. */
export function shownParts(text: string): ShownPart[] {
  const [, prefix = '', lastFour] = MASK.exec(text) ?? [];
  if (lastFour !== undefined) return [{ prefix, lastFour }];
  return [...(PREFIX.test(text) ? [{ prefix: text }] : []), ...(LAST_FOUR.test(text) ? [{ lastFour: text }] : [])];
}
