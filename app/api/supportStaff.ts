import Router from '@koa/router';
import { z } from 'zod';
import { problem } from '../domain/problem.ts';
import type { Db } from '../../db/connection/connect.ts';
import { EVERY_TENANT } from '../../db/tables/keys/apiKeyFilter.ts';
import { pageOfApiKeys } from '../../db/tables/keys/apiKeyList.ts';
import type { ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { findTenantNamed, findTenants } from '../../db/tables/tenants.ts';
import type { State } from '../context.ts';
import { isId } from '../domain/id.ts';
import { searchText } from '../domain/keySearch.ts';
import { KEY_STATUSES } from '../domain/keyStatus.ts';
import { isSlug } from '../domain/slug.ts';
import { presentTotal } from './answers/key.ts';
import { presentSupportKey, SupportKeyListAnswer, type KeyTenant } from './answers/supportKey.ts';
import type { Services } from '../services.ts';
import { basic } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { query } from '../http/input.ts';
import { KeyQuery } from '../inputs/keyQuery.ts';
import { WholeNumber } from '../http/queryValues.ts';
import { ROUTER } from '../http/router.ts';

const SupportQuery = z.strictObject({
  page: WholeNumber({ max: 1_000_000, fallback: 1 }),
  limit: WholeNumber({ max: 100, fallback: 20 }),
  tenant: z
    .string()
    .refine((text) => isId(text.toLowerCase()) || isSlug(text), problem('must_be_tenant'))
    .optional(),
  status: z.enum(KEY_STATUSES).optional(),
  q: KeyQuery.shape.q,
});

/** The keys of every tenant, read only, for support staff. */
export function supportStaffRoutes({ db, config, usage }: Pick<Services, 'db' | 'config' | 'usage'>): Router<State> {
  return new Router<State>(ROUTER).get(
    '/admin/api-keys',
    basic(),
    answers(200, SupportKeyListAnswer, 'Lists the keys of every tenant, the newest first.', [
      'temporarily_unavailable',
    ]),
    query(SupportQuery, async (ctx, { page, limit, tenant, status, q }) => {
      await usage.flush();
      const now = Date.now();
      const whose = tenant === undefined ? EVERY_TENANT : ((await findTenantNamed(db, tenant))?.id ?? NO_TENANT);
      const filter = { ...(status && { statuses: [status] }), text: searchText(q, config.keys.prefix), now };
      const order = { sort: 'createdAt', descending: true, offset: (page - 1) * limit, limit } as const;
      const { keys, ...total } = await pageOfApiKeys(db, whose, filter, order);
      const tenants = await tenantsOf(db, keys);
      const data = keys.map((key) => presentSupportKey(key, tenants.get(key.tenantId) ?? gone(key), now));
      ctx.body = { data, ...presentTotal(total), page, limit };
    }),
  );
}

/** No tenant has this id. */
const NO_TENANT = '';

async function tenantsOf(db: Db, keys: readonly ApiKey[]): Promise<Map<string, KeyTenant>> {
  const found = await findTenants(db, [...new Set(keys.map(({ tenantId }) => tenantId))]);
  return new Map(found.map((tenant) => [tenant.id, tenant]));
}

function gone({ tenantId }: ApiKey): KeyTenant {
  return { id: tenantId, slug: '', name: '' };
}
