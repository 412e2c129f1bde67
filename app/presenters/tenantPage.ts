import type { TenantRecord } from '../../db/tables/tenants.ts';
import { planNamed } from '../domain/plan.ts';

const LIMIT = 50;
const PATH = '/admin/tenants';

/** The tenants that match, a page of them, newest first. */
export function presentTenantsPage(
  tenants: readonly TenantRecord[],
  { q, page }: { q: string; page: number },
  ownId: string,
) {
  const wanted = q.trim().toLowerCase();
  const matching = tenants.filter(({ id, name, slug, externalId }) =>
    [id, name, slug, externalId ?? ''].some((text) => text.toLowerCase().includes(wanted)),
  );
  const newest = [...matching].reverse();
  const addressOf = (number: number) => `${PATH}?${new URLSearchParams({ q, page: String(number) }).toString()}`;
  return {
    q,
    tenants: newest.slice((page - 1) * LIMIT, page * LIMIT).map((tenant) => ({
      id: tenant.id,
      name: tenant.name,
      slug: tenant.slug,
      externalId: tenant.externalId,
      plan: planNamed(tenant.plan),
      active: tenant.status === 'active',
      own: tenant.id === ownId,
      createdAt: tenant.createdAt,
    })),
    paging: {
      page,
      limit: LIMIT,
      total: matching.length,
      previous: page > 1 ? addressOf(page - 1) : undefined,
      next: page * LIMIT < matching.length ? addressOf(page + 1) : undefined,
    },
  };
}
