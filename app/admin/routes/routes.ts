import Router from '@koa/router';
import { z } from 'zod';
import { countActiveKeysByScopesAndOwner } from '../../../db/tables/keys/apiKeys.ts';
import { findMember } from '../../../db/tables/people/memberships.ts';
import { findUser } from '../../../db/tables/people/users.ts';
import { principalOf, type KeyHolder, type State, type Tenant } from '../../context.ts';
import { permissionsOf } from '../../domain/role.ts';
import { scopeSetOf } from '../../domain/scopeCatalogue.ts';
import type { KeyReach } from '../../auth/requireAccess.ts';
import { isApiPath } from '../../http/apiPaths.ts';
import type { Pages } from '../shell/pages.ts';
import { presentRoutesPage, ROUTE_KINDS } from './view.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';

const RoutesQuery = z.strictObject({
  q: z.string().max(100).default(''),
  kind: z.enum(['', ...ROUTE_KINDS]).default(''),
});

/** The endpoints of the API, what each asks for, and how many keys of the tenant can open it. */
export function routePages({ db }: Pick<Services, 'db'>, pages: Pages, table: () => readonly Route[]): Router<State> {
  return new Router<State>(ROUTER).get(
    '/routes',
    scope('read'),
    query(RoutesQuery, async (ctx, wanted) => {
      const { t, locale } = pages.texts(ctx);
      const routes = table().filter(({ path }) => isApiPath(path));
      const locals = presentRoutesPage(routes, await reaches(principalOf(ctx).tenant), wanted, locale);
      const page = { title: t('routes.title'), section: 'routes', part: 'routes/_list', listed: true } as const;
      await pages.show(ctx, 'routes/list', { ...page, locals });
    }),
  );

  /** The reach of the tenant's valid keys, and how many have it; keys of people who may do nothing any more are left out. */
  async function reaches(tenant: Tenant): Promise<{ reach: KeyReach; keys: number }[]> {
    const groups = await countActiveKeysByScopesAndOwner(db, tenant.id, Date.now());
    const ids = new Set(groups.flatMap(({ userId }) => userId ?? []));
    const owners = new Map(await Promise.all([...ids].map(async (id) => [id, await ownerOf(tenant.id, id)] as const)));
    return groups.flatMap(({ scopes, userId, keys }) => {
      const owner = userId === null ? null : owners.get(userId);
      return owner === undefined
        ? []
        : [{ reach: { type: 'api_key' as const, scopes: scopeSetOf(scopes), owner, tenant, home: tenant }, keys }];
    });
  }

  async function ownerOf(tenantId: string, userId: string): Promise<KeyHolder['owner'] | undefined> {
    const member = await findMember(db, tenantId, userId);
    if (member?.status !== 'active') return undefined;
    const permissions = permissionsOf(member.role, member.permissions);
    return { id: userId, role: member.role, permissions, operator: (await findUser(db, userId))?.operator ?? false };
  }
}
