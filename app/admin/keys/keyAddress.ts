import { z } from 'zod';
import { KEY_ATTENTIONS } from '../../../db/tables/keys/apiKeyAttention.ts';
import { isId } from '../../domain/id.ts';
import { searchText, withoutToken } from '../../domain/keySearch.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { ownPath, pathOfUrl } from '../../http/ownPath.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { isPartial } from '../../http/redirect.ts';
import { KeyQuery } from '../../inputs/keyQuery.ts';

/** The address of the list of keys, below which the pages of each key stand. */
export function keysPath(ctx: Context): string {
  return organisationPath(ctx, '/api-keys');
}

/** What the list can be narrowed to by status: the API's statuses, and keys that end within a week whatever theirs is. */
export const LIST_STATUSES = ['active', 'expiring', 'rotating', 'paused', 'expired', 'revoked'] as const;

/** The owner that stands for the tenant itself in the address. */
export const TENANT_OWNER = 'tenant';

/** The query of the list: the API's, and filters of the page alone. */
const ListQuery = KeyQuery.omit({ limit: true, includeRevoked: true, status: true }).extend({
  status: z.enum(LIST_STATUSES).optional(),
  attention: z.enum(KEY_ATTENTIONS).optional(),
  /** Null for keys of the tenant itself. */
  owner: z
    .string()
    .refine((text) => text === TENANT_OWNER || isId(text))
    .transform((text) => (text === TENANT_OWNER ? null : text))
    .optional(),
  /** Only keys that can open this route, as `GET /api/v1/projects`. */
  route: z.string().max(200).optional(),
});
export type ListQuery = z.output<typeof ListQuery>;

/** The parameters of the list's address, without empty ones. */
export type ListAddress = Readonly<Record<string, string>>;

/**
 * The non-empty parameters of the list's address; of a repeated one the last, and a whole key, or what looks like
 * one, is replaced by its mask.
 */
export function listAddress(querystring: string, installationPrefix: string): ListAddress {
  const names = new Set(Object.keys(ListQuery.shape));
  const fields = [...new URLSearchParams(querystring)].filter(
    ([name, value]) => names.has(name) && value.trim() !== '',
  );
  return Object.fromEntries(
    fields.map(([name, value]) => [name, name === 'q' ? searched(value, installationPrefix) : value]),
  );
}

/** Whether the search has the whole text of a key or what looks like one, which must not stay in the address. */
export function searchesForWholeKey(querystring: string, installationPrefix: string): boolean {
  return new URLSearchParams(querystring).getAll('q').some((q) => q !== searched(q, installationPrefix));
}

function searched(text: string, installationPrefix: string): string {
  return withoutToken(searchText(text, installationPrefix) ?? '');
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
  const own = ownPath(path);
  if (!own?.startsWith(keys)) return undefined;
  return /^(?:\/[0-9a-f-]{36})?(?:\?.*)?$/.test(own.slice(keys.length)) ? own : undefined;
}
