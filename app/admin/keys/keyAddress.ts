import { z } from 'zod';
import { KEY_ATTENTIONS } from '../../../db/tables/keys/apiKeyAttention.ts';
import { searchText } from '../../domain/keySearch.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { pathOfUrl } from '../../http/ownPath.ts';
import { isPartial } from '../../http/redirect.ts';
import { KeyQuery } from '../../inputs/keyQuery.ts';

export const KEYS_PATH = '/admin/api-keys';

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

/** The address of the list with some parameters changed; undefined removes one. */
export function listPath(address: ListAddress, change: Readonly<Record<string, string | undefined>> = {}): string {
  const fields = Object.entries({ ...address, ...change }).filter(
    (field): field is [string, string] => field[1] !== undefined,
  );
  const query = new URLSearchParams(fields).toString();
  return query === '' ? KEYS_PATH : `${KEYS_PATH}?${query}`;
}

/** The page to return to after a dialog: the list or the key page from which it was opened. */
export function returnPath(ctx: Context): string {
  const from = pathOfUrl(isPartial(ctx) ? ctx.get('HX-Current-URL') : ctx.get('Referer'));
  return keyListPath(from) ?? KEYS_PATH;
}

/** The path if it is the list or a key's page, with its query; undefined for any other page. */
export function keyListPath(path: string | null | undefined): string | undefined {
  return path && /^\/admin\/api-keys(?:\/[0-9a-f-]{36})?(?:\?[^#]*)?$/.test(path) ? path : undefined;
}
