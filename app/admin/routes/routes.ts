import Router from '@koa/router';
import { z } from 'zod';
import { countActiveKeysByScopesAndOwner } from '../../../db/tables/keys/apiKeys.ts';
import { principalOf, type State, type Tenant } from '../../context.ts';
import { scopeSetOf } from '../../domain/scopeCatalogue.ts';
import type { KeyReach } from '../../auth/requireAccess.ts';
import { isApiPath } from '../../http/apiPaths.ts';
import type { Pages } from '../shell/pages.ts';
import { ownersOfKeys } from './keyReach.ts';
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
      const principal = principalOf(ctx);
      const listsKeys = principal.type === 'user' && principal.permissions.has('api-keys:read');
      const found = presentRoutesPage(routes, await reaches(principal.tenant), wanted, locale);
      const locals = { ...found, listsKeys };
      const page = { title: t('routes.title'), section: 'routes', part: 'routes/_list', listed: true } as const;
      await pages.show(ctx, 'routes/list', { ...page, locals });
    }),
  );

  /** The reach of the tenant's valid keys, and how many have it; keys of people who may do nothing any more are left out. */
  async function reaches(tenant: Tenant): Promise<{ reach: KeyReach; keys: number }[]> {
    const [groups, owners] = await Promise.all([
      countActiveKeysByScopesAndOwner(db, tenant.id, Date.now()),
      ownersOfKeys(db, tenant.id),
    ]);
    return groups.flatMap(({ scopes, userId, keys }) => {
      const owner = userId === null ? null : owners.get(userId);
      return owner === undefined
        ? []
        : [{ reach: { type: 'api_key' as const, scopes: scopeSetOf(scopes), owner, tenant, home: tenant }, keys }];
    });
  }
}
