import { z } from 'zod';
import { TENANT_STATUSES, type TenantRecord } from '../../../db/tables/tenants.ts';
import { iso } from '../../domain/times.ts';

/** A tenant as the operators of the installation see it. */
export const TenantAnswer = z
  .strictObject({
    id: z.string().describe('The tenant’s id, for `x-tenant-id`.'),
    slug: z.string().describe('The tenant’s short name, which `x-tenant-id` takes as well.'),
    name: z.string().describe('What people call the tenant.'),
    externalId: z.string().nullable().describe('What the tenant is called in another system.'),
    status: z
      .enum(TENANT_STATUSES)
      .describe('Whether its keys and people are let in: of a suspended tenant, all are refused.'),
    createdAt: z.iso.datetime().describe('When it was made.'),
    updatedAt: z.iso.datetime().describe('When it was last changed.'),
  })
  .meta({ id: 'Tenant' });

export const TenantListAnswer = z.strictObject({
  data: z.array(TenantAnswer),
  total: z.int().describe('How many fit.'),
  page: z.int(),
  limit: z.int(),
});

export function presentTenant(tenant: TenantRecord): z.output<typeof TenantAnswer> {
  const { id, slug, name, externalId, status, createdAt, updatedAt } = tenant;
  return { id, slug, name, externalId, status, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}
