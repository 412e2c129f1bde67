import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { IntlMessageFormat, type Formatters } from 'intl-messageformat';
import { LOCALES, type Locale } from '../domain/locale.ts';
import { ROOT } from '../root.ts';

/** What a text may be filled with. */
export type Values = Readonly<Record<string, string | number>>;

/** Everything that is said differently in another language. */
export interface Texts {
  readonly locale: Locale;
  /** The text of this key, `keys.title`; a key without a text is shown itself, and found by the catalogue's test. */
  readonly t: (key: string, values?: Values) => string;
  /** Whether there is a text of this key. */
  readonly has: (key: string) => boolean;
  /** A sentence that actions and parsers say in English, in the reader's language where it has been translated. */
  readonly said: (sentence: string) => string;
  readonly number: (value: number) => string;
  /** A list of words, as `a, b and c`. */
  readonly joined: (words: readonly string[]) => string;
  /** A moment: for machines, in full, and as seen from now. */
  readonly moment: (ms: number, now?: number) => Moment;
}

export interface Moment {
  iso: string;
  full: string;
  relative: string;
}

const FOLDER = path.join(ROOT, 'app', 'locales');

/** The texts of one language, the same object for whoever asks. */
export function textsIn(locale: Locale): Texts {
  return ALL[locale];
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
  const named = namedSentences(catalogue);

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
    has: (key) => catalogue.has(key),
    said: (sentence) => {
      const found = numbered(sentence, catalogue) ?? named(sentence);
      return found ? t(found.key, found.values) : sentence;
    },
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

/** A sentence as the catalogue knows it, and what fills it. */
interface Said {
  key: string;
  values: Values;
}

/** Sentences are their own keys in `said.json`, with `{n}`, `{m}` for their numbers. */
function numbered(sentence: string, catalogue: ReadonlyMap<string, string>): Said | undefined {
  const names = ['n', 'm', 'o', 'p'];
  const values: Record<string, number> = {};
  const pattern = sentence.replace(/\d+/g, (digits) => {
    const name = names[Object.keys(values).length] ?? 'q';
    values[name] = Number(digits);
    return `{${name}}`;
  });
  return [
    { key: `said.${pattern}`, values },
    { key: `said.${sentence}`, values: {} },
  ].find(({ key }) => catalogue.has(key));
}

/** The few sentences with a `{name}` in them, which may be anything: what is filled in is text, as it was. */
function namedSentences(catalogue: ReadonlyMap<string, string>): (sentence: string) => Said | undefined {
  const patterns = [...catalogue.keys()]
    .filter((key) => key.startsWith('said.') && key.includes('{name}'))
    .map((key) => ({ key, pattern: patternOf(key.slice('said.'.length)) }));
  return (sentence) => {
    for (const { key, pattern } of patterns) {
      const { name, n } = pattern.exec(sentence)?.groups ?? {};
      if (name !== undefined) return { key, values: { name, ...(n !== undefined && { n: Number(n) }) } };
    }
    return undefined;
  };
}

function patternOf(sentence: string): RegExp {
  const literal = sentence.replace(/[\\^$.*+?()[\]|]/g, '\\$&');
  return new RegExp(`^${literal.replace('{name}', '(?<name>.+)').replace('{n}', '(?<n>\\d+)')}$`);
}

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
  // UTC and said so, since the server does not know the reader's clock.
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
    return { iso, full: fullOf(ms, iso), relative: relativeOf(Math.trunc(away / size), unit) };
  };
}
