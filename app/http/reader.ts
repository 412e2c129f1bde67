import type { Context } from '../context.ts';
import { localeNamed, localeOfHeader, themeNamed, type Locale, type Theme } from '../domain/locale.ts';
import type { Cookies } from './cookies.ts';

/** In which language and look somebody reads. */
export interface Reader {
  locale: Locale;
  /** Undefined follows the reader's system. */
  theme: Theme | undefined;
}

/** What somebody has chosen for every browser of theirs; undefined where they have chosen nothing. */
export type Choice = { [K in keyof Reader]: Reader[K] | undefined };

declare module '../context.ts' {
  interface State {
    /** The language and the look in which the reader gets pages. */
    reader?: Reader;
  }
}

/** What the person who is signed in has chosen, else what was chosen in this browser, else what the browser asks for. */
export function readerOf(ctx: Context, cookies: Cookies, chosen?: Choice): Reader {
  return {
    locale: chosen?.locale ?? localeNamed(cookies.get(ctx, 'locale')) ?? localeOfHeader(ctx.get('Accept-Language')),
    theme: chosen?.theme ?? themeNamed(cookies.get(ctx, 'theme')),
  };
}
