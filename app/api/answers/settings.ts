import { z } from 'zod';
import type { TenantRecord } from '../../../db/tables/tenants.ts';
import { iso } from '../../domain/times.ts';

/** The tenant's name and slug. */
export const SettingsAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  externalId: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export function presentSettings(tenant: TenantRecord): z.output<typeof SettingsAnswer> {
  const { id, name, slug, externalId, createdAt, updatedAt } = tenant;
  return { id, name, slug, externalId, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}
