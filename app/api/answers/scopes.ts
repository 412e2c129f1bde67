import { z } from 'zod';
import { CATALOGUE, isPlatformScope, namesOf, opens } from '../../domain/scopeCatalogue.ts';

/** The scopes that can be granted, with what each of them opens. */
export const ScopesAnswer = z.strictObject({
  scopes: z.array(z.string()),
  catalogue: z.array(
    z.strictObject({
      scope: z.string(),
      alias: z.string().meta({ description: 'Another name of the same scope, which is accepted too.' }).optional(),
      description: z.string(),
      group: z.string(),
      routes: z.array(z.string()).meta({ description: 'The routes that a key with this scope alone can call.' }),
    }),
  ),
});

/**
 * The scopes of the catalogue that open a route, under each name by which they are stored; what reaches across tenants is
 * shown to those who can grant it.
 */
export function presentScopes(
  routesByScope: ReadonlyMap<string, string[]>,
  operator: boolean,
): z.output<typeof ScopesAnswer> {
  const catalogue = CATALOGUE.filter(({ scope }) => operator || !isPlatformScope(scope)).flatMap(
    ({ scope, alias, description, group }) => {
      const routes = [...routesByScope].flatMap(([required, names]) => (opens(scope, required) ? names : []));
      const shown = { description: description.en, group, routes };
      if (routes.length === 0) return [];
      return namesOf(scope).map((name) => {
        const other = name === scope ? alias : scope;
        return { scope: name, ...(other !== undefined && { alias: other }), ...shown };
      });
    },
  );
  return { scopes: catalogue.map(({ scope }) => scope), catalogue };
}
