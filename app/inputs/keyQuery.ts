import { z } from 'zod';
import { problem } from '../domain/problem.ts';
import type { KeyFilter } from '../../db/tables/keys/apiKeyFilter.ts';
import { KEY_SORTS, type KeyPage, type KeySort } from '../../db/tables/keys/apiKeyList.ts';
import { ENVIRONMENTS } from '../domain/keyInput.ts';
import { searchText } from '../domain/keySearch.ts';
import { KEY_STATUSES } from '../domain/keyStatus.ts';
import { normaliseScope } from '../domain/scope.ts';
import { Flag, SearchText, WholeNumber } from '../http/queryValues.ts';

/** Which keys of a tenant to list, and how. */
export const KeyQuery = z.strictObject({
  page: WholeNumber({ max: 1_000_000, fallback: 1 }),
  limit: WholeNumber({ max: 100, fallback: 20 }),
  includeRevoked: Flag,
  status: z.enum(KEY_STATUSES).optional(),
  scope: z
    .string()
    .refine((text) => normaliseScope(text) !== undefined, problem('must_be_scope'))
    .overwrite((text) => normaliseScope(text) ?? text)
    .optional(),
  environment: z.enum(ENVIRONMENTS).optional(),
  q: SearchText.optional(),
  sort: z
    .enum(KEY_SORTS.flatMap((sort) => [sort, `-${sort}`] as const))
    .default('-createdAt')
    .transform((text) => ({ sort: text.replace('-', '') as KeySort, descending: text.startsWith('-') })),
});
export type KeyQuery = z.output<typeof KeyQuery>;

/**
 * The filter and page of a list of keys; revoked keys are left out unless `status` or `includeRevoked` asks for them.
 */
export function keyListing(
  query: KeyQuery,
  installationPrefix: string,
  now: number,
): { filter: KeyFilter; page: KeyPage } {
  const { page, limit, includeRevoked, status, scope, environment, q, sort } = query;
  const statuses = status ? [status] : KEY_STATUSES.filter((one) => includeRevoked || one !== 'revoked');
  return {
    filter: { statuses, scope, environment, text: searchText(q, installationPrefix), now },
    page: { ...sort, offset: (page - 1) * limit, limit },
  };
}
