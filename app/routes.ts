import type Router from '@koa/router';
import type { Middleware, State } from './context.ts';
import { authenticate } from './auth/authenticate.ts';
import { basicAuth } from './auth/basicAuth.ts';
import type { TenantFrom } from './auth/tenant.ts';
import type { Services } from './services.ts';
import { askAhead } from './api/askAhead.ts';
import { apiKeyRoutes } from './api/apiKeys.ts';
import { auditLogRoutes } from './api/auditLogs.ts';
import { authRoutes } from './api/auth.ts';
import { billingRoutes } from './api/product/billing.ts';
import { builderRoutes } from './api/product/builder.ts';
import { forwardAuthGuards, forwardAuthRoutes } from './api/forwardAuth.ts';
import { forwardAuthRuleRoutes } from './api/forwardAuthRules.ts';
import { healthRoutes } from './api/health.ts';
import { authorizationServerRoutes, introspectionRoutes, oauthErrors } from './api/introspection.ts';
import { githubSecretScanningRoutes, leakReportRoutes } from './api/leaks.ts';
import { marketplaceRoutes } from './api/product/marketplace.ts';
import { memberRoutes } from './api/members.ts';
import { membershipRoutes } from './api/membership.ts';
import { openApiRoutes } from './api/openapi.ts';
import { recordRoutes } from './api/product/records.ts';
import { routeTableRoutes } from './api/routeTable.ts';
import { scopeRoutes } from './api/scopes.ts';
import { securityCenterRoutes } from './api/securityCenter.ts';
import { selfRoutes } from './api/self.ts';
import { settingsRoutes } from './api/settings.ts';
import { supportRoutes } from './api/product/support.ts';
import { supportStaffRoutes } from './api/supportStaff.ts';
import { tenantRoutes } from './api/tenants.ts';
import { userRoutes } from './api/users.ts';
import { verifyKeyRoutes } from './api/verifyKeys.ts';
import { whoamiRoutes } from './api/whoami.ts';
import { metricsMount } from './api/metrics.ts';
import { mount, type Mount } from './http/mount.ts';
import { pageMounts } from './admin/admin.ts';
import { routesByScope, routesOf, type Route } from './http/table.ts';

/** The middlewares that serve all routes, and the table of the routes. */
export interface Routes {
  middlewares: Middleware[];
  table: Route[];
}

/** The routers of the process, each mounted once; the API's stand below both of its prefixes. */
export function createRoutes(services: Services): Routes {
  const table: Route[] = [];
  const { limits } = services;
  const publicRouters = [healthRoutes(services)];
  const signInRouters = [authRoutes(services, limits.login)];
  const apiRouters: Router<State>[] = [
    whoamiRoutes(services),
    selfRoutes(services),
    apiKeyRoutes(services, () => routesByScope(table)),
    forwardAuthRuleRoutes(services),
    auditLogRoutes(services),
    memberRoutes(services),
    membershipRoutes(services),
    userRoutes(services),
    tenantRoutes(services),
    settingsRoutes(services),
    securityCenterRoutes(services),
    scopeRoutes(services),
    ...(services.config.sampleProduct ? sampleRouters(services) : []),
    routeTableRoutes(() => table),
  ];

  const guards = (tenantFrom: TenantFrom, ahead: Middleware[] = []): Middleware[] => [
    authenticate(services, tenantFrom, ahead),
    limits.caller,
  ];
  const verifyGuards = (tenantFrom: TenantFrom) => guards(tenantFrom, [askAhead(services)]);
  // The API comes first since it gets most requests; each mount passes on paths that it does not have.
  const mounts = [
    // Before the guards of the API, since what is reported here is taken without a credential.
    mount('/api/v1', [limits.address], leakRouters(services)),
    mount('/api/v1', guards('credential'), apiRouters),
    mount('/api', guards('header'), apiRouters),
    mount('/api/v1', verifyGuards('credential'), [verifyKeyRoutes(services)]),
    mount('/api', verifyGuards('header'), [verifyKeyRoutes(services)]),
    mount('/forward-auth', forwardAuthGuards(services), [forwardAuthRoutes()]),
    ...pageMounts(services, () => table),
    mount('', [], [openApiRoutes(() => table), authorizationServerRoutes(services)]),
    mount('', [oauthErrors, ...guards('credential')], [introspectionRoutes(services)]),
    metricsMount(services),
    mount('/api', [], publicRouters),
    ...supportMounts(services),
    mount('/api', [limits.address], signInRouters),
  ];
  for (const { routers } of mounts) table.push(...routesOf(routers));
  return { middlewares: mounts.map(({ middleware }) => middleware), table };
}

/** GitHub's reports are taken where the keys that it signs them with are configured. */
function leakRouters(services: Services): Router<State>[] {
  const { githubKeys } = services.config;
  const github = githubKeys ? [githubSecretScanningRoutes(services, githubKeys)] : [];
  return [leakReportRoutes(services), ...github];
}

/** The sample product: what its routes do stands for the routes of a product that has not come yet. */
function sampleRouters(services: Services): Router<State>[] {
  return [
    ...recordRoutes(services),
    builderRoutes(services),
    supportRoutes(services),
    billingRoutes(services),
    marketplaceRoutes(services),
  ];
}

/** Where no support staff is configured, nothing of theirs exists. */
function supportMounts(services: Services): Mount[] {
  const { config, limits } = services;
  if (!config.support) return [];
  const guard = basicAuth(config.support, { failures: limits.support, rate: config.limits.login });
  return [mount('/api', [guard], [supportStaffRoutes(services)])];
}
