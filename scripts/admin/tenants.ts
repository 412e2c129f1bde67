import { systemContext } from '../../app/actions/actionContext.ts';
import { createTenant } from '../../app/actions/tenants/createTenant.ts';
import { updateTenant } from '../../app/actions/tenants/updateTenant.ts';
import { Slug } from '../../app/domain/slug.ts';
import { Name } from '../../app/domain/text.ts';
import { iso } from '../../app/domain/times.ts';
import type { Db } from '../../db/connection/connect.ts';
import { findTenantNamed, listTenants, type TenantRecord } from '../../db/tables/tenants.ts';
import type { Command } from './command.ts';
import { CommandError } from './commandErrors.ts';
import { table } from './table.ts';

export const tenantCreate: Command = {
  name: 'tenant create',
  about: 'Make a tenant; the name suggests its slug',
  options: { name: { value: 'NAME', required: true }, slug: { value: 'SLUG' } },
  async run({ services, now }, args) {
    const input = { name: args.read('name', Name), slug: args.read('slug', Slug.optional()) };
    const { id, slug, name } = await createTenant(systemContext(services.db, '', now), input);
    return { lines: [`Created the tenant ${name}: slug ${slug}, id ${id}`], json: { id, slug, name } };
  },
};

export const tenantList: Command = {
  name: 'tenant list',
  about: 'List every tenant',
  options: {},
  async run({ services }) {
    const tenants = await listTenants(services.db);
    return {
      lines: table([
        ['SLUG', 'NAME', 'STATUS', 'ID'],
        ...tenants.map(({ slug, name, status, id }) => [slug, name, status, id]),
      ]),
      json: {
        data: tenants.map(({ id, slug, name, status, externalId, createdAt }) => ({
          id,
          slug,
          name,
          status,
          externalId,
          createdAt: iso(createdAt),
        })),
      },
    };
  },
};

export const tenantActivate: Command = {
  name: 'tenant activate',
  about: 'Let a suspended tenant in again, such as the one an operator has shut themselves out of',
  options: { tenant: { value: 'TENANT', required: true } },
  async run({ services, now }, args) {
    const { db } = services;
    const tenant = await tenantNamed(db, args.text('tenant'));
    const { id, slug, name, status } = await updateTenant(systemContext(db, '', now), tenant.id, { status: 'active' });
    const line = tenant.status === status ? `${name} (${slug}) is active already` : `${name} (${slug}) is active again`;
    return { lines: [line], json: { id, slug, name, status } };
  },
};

/** The tenant that an operator names by id or slug. */
export async function tenantNamed(db: Db, name: string): Promise<TenantRecord> {
  const tenant = await findTenantNamed(db, name);
  if (!tenant) throw new CommandError(`There is no tenant "${name}": tenant list shows them.`);
  return tenant;
}
