import { z } from 'zod';
import type { Locale } from '../../domain/locale.ts';
import { isPlatformScope, type ScopeCatalogue } from '../../domain/scopeCatalogue.ts';

/** The scopes that can be granted, with what each of them opens. */
export const ScopesAnswer = z.strictObject({
  scopes: z.array(z.string()),
  catalogue: z.array(
    z.strictObject({
      scope: z.string(),
      alias: z.string().meta({ description: 'Another name of the same scope, which is accepted too.' }).optional(),
      description: z.string().meta({ description: 'In the language of Accept-Language.' }),
      group: z.string(),
      routes: z.array(z.string()).meta({
        description:
          'The routes that a key with this scope alone can call; empty for a scope that only other backends ask for.',
      }),
    }),
  ),
});

/**
 * The scopes of the catalogue that open a route here or elsewhere, under each name by which they are stored; what reaches
 * across tenants is shown to those who can grant it.
 */
export function presentScopes(
  catalogue: ScopeCatalogue,
  routesByScope: ReadonlyMap<string, string[]>,
  { operator, locale }: { operator: boolean; locale: Locale },
): z.output<typeof ScopesAnswer> {
  const offered = catalogue.scopes
    .filter(({ scope }) => operator || !isPlatformScope(scope))
    .flatMap(({ scope, alias, description, group, elsewhere }) => {
      const routes = [...routesByScope].flatMap(([required, names]) => (catalogue.opens(scope, required) ? names : []));
      if (routes.length === 0 && !elsewhere) return [];
      const shown = { description: description[locale], group, routes };
      return catalogue.namesOf(scope).map((name) => {
        const other = name === scope ? alias : scope;
        return { scope: name, ...(other !== undefined && { alias: other }), ...shown };
      });
    });
  return { scopes: offered.map(({ scope }) => scope), catalogue: offered };
}
