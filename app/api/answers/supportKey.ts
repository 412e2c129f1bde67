import { z } from 'zod';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { KeyAnswer, presentKey, Total } from './key.ts';

/** A key as support staff see it: as its tenant does, and with the tenant. */
export const SupportKeyAnswer = KeyAnswer.extend({
  tenant: z.strictObject({ id: z.string(), slug: z.string(), name: z.string() }),
});

export const SupportKeyListAnswer = z.strictObject({
  data: z.array(SupportKeyAnswer),
  ...Total,
  page: z.int(),
  limit: z.int(),
});

/** The tenant a key belongs to, as it is shown beside the key. */
export interface KeyTenant {
  id: string;
  slug: string;
  name: string;
}

export function presentSupportKey(
  key: ApiKey,
  { id, slug, name }: KeyTenant,
  now: number,
): z.output<typeof SupportKeyAnswer> {
  return { ...presentKey(key, now), tenant: { id, slug, name } };
}
