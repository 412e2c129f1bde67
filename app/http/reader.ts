import type { Context } from '../context.ts';
import { localeNamed, localeOfHeader, themeNamed, type Locale, type Theme } from '../domain/locale.ts';
import type { Cookies } from './cookies.ts';

/** In which language and look somebody reads. */
export interface Reader {
  locale: Locale;
  /** Undefined follows the reader's system. */
  theme: Theme | undefined;
}

/** What was chosen by the person who is signed in, else in this browser, else what the browser asks for. */
export function readerOf(ctx: Context, cookies: Cookies): Reader {
  const { session } = ctx.state;
  return {
    locale: session?.locale ?? localeNamed(cookies.get(ctx, 'locale')) ?? localeOfHeader(ctx.get('Accept-Language')),
    theme: session?.theme ?? themeNamed(cookies.get(ctx, 'theme')),
  };
}
