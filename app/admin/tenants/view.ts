import type { TenantRecord } from '../../../db/tables/tenants.ts';
import type { Locale } from '../../domain/locale.ts';
import { planNamed } from '../../domain/plan.ts';

/** How many of them a page shows. */
export const TENANTS_SHOWN = 50;
const PATH = '/admin/tenants';

/** A page of the tenants that match. */
export function presentTenantsPage(
  { tenants, total }: { tenants: readonly TenantRecord[]; total: number },
  { q, page }: { q: string; page: number },
  ownId: string,
  locale: Locale,
) {
  const addressOf = (number: number) => `${PATH}?${new URLSearchParams({ q, page: String(number) }).toString()}`;
  return {
    q,
    tenants: tenants.map((tenant) => ({
      id: tenant.id,
      name: tenant.name,
      slug: tenant.slug,
      externalId: tenant.externalId,
      plan: planNamed(tenant.plan, locale),
      active: tenant.status === 'active',
      own: tenant.id === ownId,
      createdAt: tenant.createdAt,
    })),
    paging: {
      page,
      limit: TENANTS_SHOWN,
      total,
      previous: page > 1 ? addressOf(page - 1) : undefined,
      next: page * TENANTS_SHOWN < total ? addressOf(page + 1) : undefined,
    },
  };
}
