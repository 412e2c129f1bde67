import type { Context } from '../context.ts';
import { localeNamed, localeOfHeader, themeNamed, type Locale, type Theme } from '../domain/locale.ts';
import type { Cookies } from './cookies.ts';

/** The language and theme of a reader. */
export interface Reader {
  locale: Locale;
  /** Undefined follows the reader's system. */
  theme: Theme | undefined;
}

/** The preferences that a person has saved; undefined if they have saved none. */
export type Choice = { [K in keyof Reader]: Reader[K] | undefined };

declare module '../context.ts' {
  interface State {
    /** The language and the look in which the reader gets pages. */
    reader?: Reader;
  }
}

/** The saved preferences of the person, or else those of this browser, or else what the browser asks for. */
export function readerOf(ctx: Context, cookies: Cookies, chosen?: Choice): Reader {
  return {
    locale: chosen?.locale ?? localeNamed(cookies.get(ctx, 'locale')) ?? localeOfHeader(ctx.get('Accept-Language')),
    theme: chosen?.theme ?? themeNamed(cookies.get(ctx, 'theme')),
  };
}
