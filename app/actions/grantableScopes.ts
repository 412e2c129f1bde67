import type { Db } from '../../db/connection/connect.ts';
import { findSetting, shareSetting } from '../../db/tables/installationSettings.ts';
import { catalogueOf } from '../domain/productScopes.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { AppError } from '../errors.ts';

/** The catalogue of scopes as this transaction reads it. */
export async function findCatalogue(trx: Db): Promise<ScopeCatalogue> {
  return catalogueOf((await findSetting(trx, 'scopes')).value);
}

/**
 * Refuses scopes that the catalogue does not list, each by its place in the field and in the detail, which some clients show
 * alone; those in `held` may have left it, and stay until somebody takes them away. The catalogue cannot lose one of them before the
 * transaction ends, so that nobody holds what was taken away without being counted.
 */
export async function refuseUnknownScopes(
  trx: Db,
  field: string,
  scopes: readonly string[],
  held: readonly string[] = [],
): Promise<void> {
  const catalogue = catalogueOf((await shareSetting(trx, 'scopes')).value);
  const isGood = (scope: string) => catalogue.isKnown(scope) || held.includes(scope);
  const unknown = scopes.flatMap((scope, index) => (isGood(scope) ? [] : [{ scope, index }]));
  if (unknown.length === 0) return;
  const named = unknown.map(({ scope }) => scope).join(', ');
  throw new AppError(
    'invalid_input',
    { key: 'unknown_scopes', values: { scopes: named } },
    {
      errors: unknown.map(({ scope, index }) => ({
        path: `${field}.${index}`,
        problem: { key: 'unknown_scope', values: { scope } },
      })),
    },
  );
}
