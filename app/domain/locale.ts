/** The languages of the product, its own first. */
export const LOCALES = ['en', 'fr'] as const;
export type Locale = (typeof LOCALES)[number];

export const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

/** The supported language of this name; undefined for any other. */
export function localeNamed(text: string | null | undefined): Locale | undefined {
  return LOCALES.find((locale) => locale === text);
}

/** The supported theme of this name; undefined for any other. */
export function themeNamed(text: string | null | undefined): Theme | undefined {
  return THEMES.find((theme) => theme === text);
}

/**
 * The supported language that an Accept-Language header prefers: `fr-CA,fr;q=0.9` is French, the default is English.
 */
export function localeOfHeader(header: string): Locale {
  let best: Locale | undefined;
  let most = 0;
  for (const range of header.slice(0, 1_000).split(',')) {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';');
    const locale = localeNamed(tag.split('-')[0]);
    const quality = qualityOf(parameters);
    if (locale !== undefined && quality > most) [best, most] = [locale, quality];
  }
  return best ?? LOCALES[0];
}

function qualityOf(parameters: readonly string[]): number {
  const written = parameters.map((text) => text.trim()).find((text) => text.startsWith('q='));
  const quality = written === undefined ? 1 : Number(written.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
