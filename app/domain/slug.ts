import { z } from 'zod';
import { problem } from './problem.ts';
import { isId } from './id.ts';

const LONGEST = 63;
const SHAPE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Letters that do not come apart into a base letter and its marks. */
const SPELT_OUT: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ł: 'l',
  þ: 'th',
};

/** Whether a text can be a slug; text that `x-tenant-id` would read as an id cannot. */
export function isSlug(text: string): boolean {
  return SHAPE.test(text) && !isId(text);
}

/** The slug that a name suggests; a name without a single Latin letter or digit becomes `tenant`. */
export function slugOf(name: string): string {
  const ascii = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/['’]/g, '')
    .replace(/[^\0-\x7f]/gu, (letter) => SPELT_OUT[letter] ?? (/\p{M}/u.test(letter) ? '' : '-'));
  const slug = cut(ascii.replace(/[^a-z0-9]+/g, '-'), LONGEST);
  if (slug === '') return 'tenant';
  return isId(slug) ? `tenant-${slug}` : slug;
}

/** The first of `slug`, `slug-2`, `slug-3` … that is not taken. */
export function freeSlug(slug: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : numbered(slug, number);
    if (!taken.has(candidate)) return candidate;
  }
}

/** What every numbered form of a slug begins with, however long the number: a database asks for those at once. */
export function slugStem(slug: string): string {
  return cut(slug, LONGEST - 8);
}

/** A slug as input. */
export const Slug = z.string().refine(isSlug, problem('must_be_slug')).meta({ pattern: SHAPE.source });

function numbered(slug: string, number: number): string {
  return `${slugStem(slug)}-${number}`;
}

function cut(text: string, length: number): string {
  return text.replace(/^-+/, '').slice(0, length).replace(/-+$/, '');
}
