import { z } from 'zod';
import { KEY_ATTENTIONS } from '../../../db/tables/keys/apiKeyAttention.ts';
import { searchText } from '../../domain/keySearch.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { pathOfUrl } from '../../http/ownPath.ts';
import { isPartial } from '../../http/redirect.ts';
import { KeyQuery } from '../../inputs/keyQuery.ts';

export const KEYS_PATH = '/admin/api-keys';

/** What the address of the list may ask: the same as the API's, and for what needs attention. */
const ListQuery = KeyQuery.omit({ limit: true, includeRevoked: true }).extend({
  attention: z.enum(KEY_ATTENTIONS).optional(),
});
export type ListQuery = z.output<typeof ListQuery>;

/** A query as it stood in the address, empty fields left out. */
export type ListAddress = Readonly<Record<string, string>>;

/** The fields of a list's address that say something; of a repeated one the last, and of a whole key its mask. */
export function listAddress(querystring: string, installationPrefix: string): ListAddress {
  const names = new Set(Object.keys(ListQuery.shape));
  const fields = [...new URLSearchParams(querystring)].filter(
    ([name, value]) => names.has(name) && value.trim() !== '',
  );
  return Object.fromEntries(
    fields.map(([name, value]) => [name, name === 'q' ? (searchText(value, installationPrefix) ?? '') : value]),
  );
}

/** Whether somebody searches for the whole text of a key, which an address should not go on holding. */
export function searchesForWholeKey(querystring: string, installationPrefix: string): boolean {
  return new URLSearchParams(querystring).getAll('q').some((q) => q !== (searchText(q, installationPrefix) ?? ''));
}

/** What an address asks for; refused where it is not understood. */
export function readList(address: ListAddress): ListQuery {
  const read = ListQuery.safeParse(address);
  if (read.success) return read.data;
  throw new AppError('invalid_query', 'query_not_understood');
}

/** The address of a list, with some fields other than they are now; undefined takes a field away. */
export function listPath(address: ListAddress, change: Readonly<Record<string, string | undefined>> = {}): string {
  const fields = Object.entries({ ...address, ...change }).filter(
    (field): field is [string, string] => field[1] !== undefined,
  );
  const query = new URLSearchParams(fields).toString();
  return query === '' ? KEYS_PATH : `${KEYS_PATH}?${query}`;
}

/** Where to go when a dialog is done: the list or the key that it was opened from. */
export function returnPath(ctx: Context): string {
  const from = pathOfUrl(isPartial(ctx) ? ctx.get('HX-Current-URL') : ctx.get('Referer'));
  return keyListPath(from) ?? KEYS_PATH;
}

/** The list or a key's own page, with whatever it was narrowed to; forms are nowhere to go back to. */
export function keyListPath(path: string | null | undefined): string | undefined {
  return path && /^\/admin\/api-keys(?:\/[0-9a-f-]{36})?(?:\?[^#]*)?$/.test(path) ? path : undefined;
}
