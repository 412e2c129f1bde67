import type { Db } from '../../db/connection/connect.ts';
import type { RawDb } from '../../db/connection/rawDb.ts';
import { findSetting, shareSetting } from '../../db/tables/installationSettings.ts';
import { catalogueOf } from '../domain/productScopes.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { AppError, type FieldError } from '../errors.ts';

/** The catalogue of scopes as this transaction reads it. */
export async function findCatalogue(trx: RawDb): Promise<ScopeCatalogue> {
  return catalogueOf((await findSetting(trx, 'scopes')).value);
}

/** The same, which cannot lose a scope before the transaction ends, so that nobody holds one without being counted. */
export async function shareCatalogue(trx: Db): Promise<ScopeCatalogue> {
  return catalogueOf((await shareSetting(trx, 'scopes')).value);
}

/**
 * Refuses scopes that the catalogue does not list, each by its place in the field and in the detail, which some clients show
 * alone; those in `held` may have left it, and stay until somebody takes them away.
 */
export async function refuseUnknownScopes(
  trx: Db,
  field: string,
  scopes: readonly string[],
  held: readonly string[] = [],
): Promise<void> {
  const catalogue = await shareCatalogue(trx);
  const errors = unknownScopes(catalogue, field, scopes, held);
  if (errors.length === 0) return;
  const named = errors.map(({ problem }) => problem.values?.['scope']).join(', ');
  throw new AppError('invalid_input', { key: 'unknown_scopes', values: { scopes: named } }, { errors });
}

/** The scopes that the catalogue does not list, each by its place in the field; those in `held` may have left it. */
export function unknownScopes(
  catalogue: ScopeCatalogue,
  field: string,
  scopes: readonly string[],
  held: readonly string[] = [],
): FieldError[] {
  return scopes.flatMap((scope, index) =>
    catalogue.isKnown(scope) || held.includes(scope)
      ? []
      : [{ path: `${field}.${index}`, problem: { key: 'unknown_scope' as const, values: { scope } } }],
  );
}
