import { z } from 'zod';
import { KEY_ATTENTIONS } from '../../../db/tables/keys/apiKeyAttention.ts';
import { searchText } from '../../domain/keySearch.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { pathOfUrl } from '../../http/ownPath.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { isPartial } from '../../http/redirect.ts';
import { KeyQuery } from '../../inputs/keyQuery.ts';

/** The address of the list of keys, below which the pages of each key stand. */
export function keysPath(ctx: Context): string {
  return organisationPath(ctx, '/api-keys');
}

/** The query of the list: the API's, and a filter by attention. */
const ListQuery = KeyQuery.omit({ limit: true, includeRevoked: true }).extend({
  attention: z.enum(KEY_ATTENTIONS).optional(),
});
export type ListQuery = z.output<typeof ListQuery>;

/** The parameters of the list's address, without empty ones. */
export type ListAddress = Readonly<Record<string, string>>;

/**
 * The non-empty parameters of the list's address; of a repeated one the last, and a whole key is replaced by its mask.
 */
export function listAddress(querystring: string, installationPrefix: string): ListAddress {
  const names = new Set(Object.keys(ListQuery.shape));
  const fields = [...new URLSearchParams(querystring)].filter(
    ([name, value]) => names.has(name) && value.trim() !== '',
  );
  return Object.fromEntries(
    fields.map(([name, value]) => [name, name === 'q' ? (searchText(value, installationPrefix) ?? '') : value]),
  );
}

/** Whether the search has the whole text of a key, which must not stay in the address. */
export function searchesForWholeKey(querystring: string, installationPrefix: string): boolean {
  return new URLSearchParams(querystring).getAll('q').some((q) => q !== (searchText(q, installationPrefix) ?? ''));
}

/** Parses the parameters of the list's address, or refuses them with 400. */
export function readList(address: ListAddress): ListQuery {
  const read = ListQuery.safeParse(address);
  if (read.success) return read.data;
  throw new AppError('invalid_query', 'query_not_understood');
}

/** The address of the list at `keys` with some parameters changed; undefined removes one. */
export function listPath(
  keys: string,
  address: ListAddress,
  change: Readonly<Record<string, string | undefined>> = {},
): string {
  const fields = Object.entries({ ...address, ...change }).filter(
    (field): field is [string, string] => field[1] !== undefined,
  );
  const query = new URLSearchParams(fields).toString();
  return query === '' ? keys : `${keys}?${query}`;
}

/** The page to return to after a dialog: the list or the key page from which it was opened. */
export function returnPath(ctx: Context): string {
  const from = pathOfUrl(isPartial(ctx) ? ctx.get('HX-Current-URL') : ctx.get('Referer'));
  return keyListPath(ctx, from) ?? keysPath(ctx);
}

/** The path if it is the list or a key's page of this organisation, with its query; undefined for any other page. */
export function keyListPath(ctx: Context, path: string | null | undefined): string | undefined {
  const keys = keysPath(ctx);
  if (!path?.startsWith(keys)) return undefined;
  return /^(?:\/[0-9a-f-]{36})?(?:\?[^#]*)?$/.test(path.slice(keys.length)) ? path : undefined;
}
