import { APPS } from '../domain/apps.ts';
import type { Locale } from '../domain/locale.ts';
import { CATALOGUE } from '../domain/scopeCatalogue.ts';

/** The apps in the reader's language, each with what its scopes mean. */
export function presentMarketplacePage(installed: ReadonlySet<string>, locale: Locale) {
  const described = new Map(CATALOGUE.map(({ scope, description }) => [scope, description[locale]]));
  return APPS.map(({ id, name, description, scopes }) => ({
    id,
    name,
    description: description[locale],
    installed: installed.has(id),
    scopes: scopes.map((scope) => ({
      scope,
      description: described.get(scope) ?? scope,
      strong: !scope.endsWith('read'),
    })),
  }));
}
