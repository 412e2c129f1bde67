import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { IntlMessageFormat, type Formatters } from 'intl-messageformat';
import type { Problem, ProblemKey } from '../domain/problem.ts';
import { LOCALES, type Locale } from '../domain/locale.ts';
import { ROOT } from '../root.ts';

/** The values that a text is filled with. */
export type Values = Readonly<Record<string, string | number>>;

/** All that depends on the language. */
export interface Texts {
  readonly locale: Locale;
  /** The text of this key, `keys.title`; a key without a text is shown itself, and found by the catalogue's test. */
  readonly t: (key: string, values?: Values) => string;
  /** The text of this key in parts, where it has moments in it that a page shows by elements of their own. */
  readonly parts: (key: string, moments: Readonly<Record<string, number>>, values?: Values) => TextPart[];
  /** Whether there is a text of this key. */
  readonly has: (key: string) => boolean;
  /** The text of a problem as the API words it. */
  readonly problemText: (problem: Problem) => string;
  /** The text of a problem as the pages word it, which have other names for some things. */
  readonly pageProblemText: (problem: Problem) => string;
  readonly number: (value: number) => string;
  /** A list of words, as `a, b and c`. */
  readonly joined: (words: readonly string[]) => string;
  /** A moment: for machines, in full, and as seen from now. */
  readonly moment: (ms: number, now?: number) => Moment;
}

/** A part of a text: words, or the moment that stands there. */
export type TextPart = { text: string; at?: undefined } | { at: number | undefined };

export interface Moment {
  iso: string;
  full: string;
  relative: string;
}

const FOLDER = path.join(ROOT, 'app', 'locales');

/** The texts of one language; always the same object. */
export function textsIn(locale: Locale): Texts {
  return ALL[locale];
}

/** Whether a text is the key of a problem rather than a wording. */
export function isProblemKey(text: string): text is ProblemKey {
  return ALL.en.has(`problems.${text}`);
}

/** All texts of a language by key: `<area>.<name>` for the entry `name` of `<area>.json`. */
export function catalogueOf(locale: Locale): ReadonlyMap<string, string> {
  const folder = path.join(FOLDER, locale);
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => {
        const texts = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Record<string, string>;
        return Object.entries(texts).map(([name, text]) => [`${path.basename(file, '.json')}.${name}`, text] as const);
      }),
  );
}

const ALL = Object.fromEntries(LOCALES.map((locale) => [locale, textsOf(locale)])) as Record<Locale, Texts>;

function textsOf(locale: Locale): Texts {
  const catalogue = catalogueOf(locale);
  const formats = new Map<string, IntlMessageFormat>();
  const numbers = new Intl.NumberFormat(locale);
  const lists = new Intl.ListFormat(locale);
  const formatters = formattersOf(locale, numbers);

  function t(key: string, values: Values = {}): string {
    let format = formats.get(key);
    if (!format) {
      const text = catalogue.get(key);
      if (text === undefined) return key;
      if (!MARKED.test(text)) return text;
      // Texts are text: what looks like a tag in them is escaped by the page like any other.
      formats.set(key, (format = new IntlMessageFormat(text, locale, undefined, { ignoreTag: true, formatters })));
    }
    return String(format.format(values));
  }

  return {
    locale,
    t,
    parts: (key, moments, values) => {
      const marks = Object.fromEntries(Object.keys(moments).map((name) => [name, `\0${name}\0`]));
      const pieces = t(key, { ...values, ...marks }).split('\0');
      return pieces.map((piece, index) => (index % 2 === 0 ? { text: piece } : { at: moments[piece] }));
    },
    has: (key) => catalogue.has(key),
    problemText: ({ key, values }) => t(`problems.${key}`, values),
    pageProblemText: ({ key, values }) =>
      t(catalogue.has(`pageProblems.${key}`) ? `pageProblems.${key}` : `problems.${key}`, values),
    number: (value) => numbers.format(value),
    joined: (words) => lists.format(words),
    moment: momentIn(locale),
  };
}

/** What messages are filled with; the library's own would describe their options as JSON before each use. */
function formattersOf(locale: Locale, numbers: Intl.NumberFormat): Formatters {
  const plurals = {
    cardinal: new Intl.PluralRules(locale, { type: 'cardinal' }),
    ordinal: new Intl.PluralRules(locale, { type: 'ordinal' }),
  };
  return {
    getNumberFormat: (_, options) => (options ? new Intl.NumberFormat(locale, options) : numbers),
    getDateTimeFormat: (_, options) => new Intl.DateTimeFormat(locale, options),
    getPluralRules: (_, options) => plurals[options?.type ?? 'cardinal'],
  };
}

/** What ICU's messages give a meaning to; a text without it is its own message. */
const MARKED = /[{}']/;

const DAY_MS = 86_400_000;
const KEPT_DAYS = 1_000;
const STEPS = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

function momentIn(locale: Locale): Texts['moment'] {
  // Times are in UTC with its name, since the server does not know the reader's time zone.
  const full = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    timeZone: 'UTC',
  });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const fullDays = new Map<number, string>();
  const relatives = new Map<string, string>();

  /** A day is put into words once; its hours read the same in both languages. */
  function fullOf(ms: number, iso: string): string {
    const day = Math.floor(ms / DAY_MS);
    let text = fullDays.get(day);
    if (text === undefined) {
      if (fullDays.size >= KEPT_DAYS) fullDays.clear();
      fullDays.set(day, (text = full.format(day * DAY_MS)));
    }
    return `${text.replace('00:00:00', iso.slice(-13, -5))} UTC`;
  }

  function relativeOf(count: number, unit: Intl.RelativeTimeFormatUnit): string {
    const place = `${count} ${unit}`;
    let text = relatives.get(place);
    if (text === undefined) relatives.set(place, (text = relative.format(count, unit)));
    return text;
  }

  return (ms, now = Date.now()) => {
    const away = ms - now;
    const [unit, size] = STEPS.find(([, size]) => Math.abs(away) >= size) ?? ['second', Infinity];
    const iso = new Date(ms).toISOString();
    return { iso, full: fullOf(ms, iso), relative: relativeOf(Math.round(away / size), unit) };
  };
}
