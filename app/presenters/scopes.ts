import { z } from 'zod';
import { CATALOGUE, isPlatformScope } from '../domain/scopeCatalogue.ts';

/** The scopes that can be granted, with what each of them opens. */
export const ScopesAnswer = z.strictObject({
  scopes: z.array(z.string()),
  catalogue: z.array(
    z.strictObject({ scope: z.string(), description: z.string(), group: z.string(), routes: z.array(z.string()) }),
  ),
});

/** The catalogue; what reaches across tenants is shown to those who can grant it. */
export function presentScopes(
  routesByScope: ReadonlyMap<string, string[]>,
  operator: boolean,
): z.output<typeof ScopesAnswer> {
  const catalogue = CATALOGUE.filter(({ scope }) => operator || !isPlatformScope(scope)).map(
    ({ scope, description, group }) => ({
      scope,
      description: description.en,
      group,
      routes: routesByScope.get(scope) ?? [],
    }),
  );
  return { scopes: catalogue.map(({ scope }) => scope), catalogue };
}
