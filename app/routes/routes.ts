import type Router from '@koa/router';
import type { Middleware, State } from '../context.ts';
import { authenticate } from '../middleware/authenticate.ts';
import { recordUse } from '../middleware/recordUse.ts';
import type { TenantFrom } from '../middleware/tenant.ts';
import type { Services } from '../services.ts';
import { views } from '../views.ts';
import { setupRoutes } from './admin/setup.ts';
import { apiKeyRoutes } from './api/apiKeys.ts';
import { auditLogRoutes } from './api/auditLogs.ts';
import { authRoutes } from './api/auth.ts';
import { healthRoutes } from './api/health.ts';
import { whoamiRoutes } from './api/whoami.ts';
import { mount } from './mount.ts';
import { routesByScope, routesOf, type Route } from './table.ts';

/** Everything that is served: the way in, and the same routes as data. */
export interface Routes {
  middlewares: Middleware[];
  table: Route[];
}

/** The routers of the process, each mounted once; the API's stand below both of its prefixes. */
export function createRoutes(services: Services): Routes {
  const table: Route[] = [];
  const pageRouters = [setupRoutes(services)];
  const { limits } = services;
  const publicRouters = [healthRoutes(services)];
  const signInRouters = [authRoutes(services, limits.login)];
  const apiRouters: Router<State>[] = [
    whoamiRoutes(),
    apiKeyRoutes(services, () => routesByScope(table)),
    auditLogRoutes(services),
  ];

  const guards = (tenantFrom: TenantFrom): Middleware[] => [
    recordUse(services.usage),
    authenticate(services, tenantFrom),
    limits.key,
  ];
  const mounts = [
    mount('', [views()], pageRouters),
    mount('/api', [], publicRouters),
    mount('/api', [limits.address], signInRouters),
    mount('/api/v1', guards('credential'), apiRouters),
    mount('/api', guards('header'), apiRouters),
  ];
  for (const { routers } of mounts) table.push(...routesOf(routers));
  return { middlewares: mounts.map(({ middleware }) => middleware), table };
}
