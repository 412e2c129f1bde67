import { z } from 'zod';
import { TENANT_STATUSES } from '../../db/tables/tenants.ts';
import { ExternalId } from '../domain/keyInput.ts';
import { Slug } from '../domain/slug.ts';
import { Name } from '../domain/text.ts';
import { SearchText, WholeNumber } from '../http/queryValues.ts';

/** A tenant to make. */
export const NewTenant = z.strictObject({ name: Name, slug: Slug.optional(), externalId: ExternalId.optional() });

/** A change of a tenant; absent fields stay as they are. */
export const TenantChange = z
  .strictObject({ name: Name, slug: Slug, externalId: ExternalId.nullable(), status: z.enum(TENANT_STATUSES) })
  .partial();

/** Which tenants to list. */
export const TenantQuery = z.strictObject({
  page: WholeNumber({ max: 1_000_000, fallback: 1 }),
  limit: WholeNumber({ max: 100, fallback: 20 }),
  status: z.enum(TENANT_STATUSES).optional(),
  externalId: ExternalId.optional(),
  q: SearchText.optional(),
});
