import type Router from '@koa/router';
import type { State } from '../context.ts';
import { compressPage } from '../http/compressPage.ts';
import { openPageGuards, pageGuards, unknownPage } from './shell/pageGuards.ts';
import { cookiesOf } from '../http/cookies.ts';
import { createPages, type Pages } from './shell/pages.ts';
import { oldAddresses } from './shell/oldAddresses.ts';
import { shownOncePages } from './shell/shownOnce.ts';
import type { Services } from '../services.ts';
import { apiKeyPages } from './keys/routes.ts';
import { auditLogPages } from './audit/routes.ts';
import { billingPages } from './billing/routes.ts';
import { forwardAuthPages } from './forwardAuth/routes.ts';
import { docsRoutes } from './signIn/docs.ts';
import { frontRoutes } from './signIn/front.ts';
import { invitationRoutes } from './signIn/invitation.ts';
import { loginRoutes } from './signIn/login.ts';
import { marketplacePages } from './marketplace/routes.ts';
import { memberPages } from './members/routes.ts';
import { membershipPages } from './members/membership.ts';
import { palettePages } from './palette/routes.ts';
import { passwordResetRoutes } from './signIn/passwordReset.ts';
import { preferenceRoutes } from './signIn/preferences.ts';
import { routePages } from './routes/routes.ts';
import { scopePages } from './scopes/routes.ts';
import { settingsPages } from './settings/routes.ts';
import { setupRoutes } from './signIn/setup.ts';
import { tenantPages } from './tenants/routes.ts';
import { ticketPages } from './tickets/routes.ts';
import { usagePages } from './usage/routes.ts';
import { mount, type Mount } from '../http/mount.ts';
import { ORGANISATION } from '../http/organisationPath.ts';
import { routesOf, type Route } from '../http/table.ts';

/**
 * All pages: those open to the world, and those of the admin behind their guards. `table` has the routes only once all
 * are mounted.
 */
export function pageMounts(services: Services, table: () => readonly Route[]): Mount[] {
  const cookies = cookiesOf(services.config.publicUrl);
  const routes: Route[] = [];
  const pages = createPages(cookies, () => routes, services.config.keys.prefix);
  const open = [
    loginRoutes(services, pages),
    preferenceRoutes(services, pages),
    setupRoutes(services, pages),
    invitationRoutes(services, pages),
    passwordResetRoutes(services, pages),
    docsRoutes(pages),
  ];
  const ofOrganisation = [
    shownOncePages(pages),
    apiKeyPages(services, pages, table),
    usagePages(services, pages),
    auditLogPages(services, pages),
    routePages(services, pages, table),
    ...(services.config.sampleProduct ? samplePages(services, pages) : []),
    settingsPages(services, pages, table),
    memberPages(services, pages),
    membershipPages(services, pages),
    palettePages(services, pages, () => routes),
  ];
  const ofOperators = [tenantPages(services, pages), forwardAuthPages(services, pages), scopePages(services, pages)];
  const redirects = [frontRoutes(pages, () => routes), oldAddresses(pages, services.config)];
  const guards = [compressPage, ...pageGuards(services, cookies, () => routes)];
  const mounts = [
    mount('', [compressPage, ...openPageGuards(services, cookies)], open),
    mount(ORGANISATION, guards, ofOrganisation),
    mount('/admin', guards, [...ofOperators, ...redirects]),
  ];
  for (const { routers } of mounts) routes.push(...routesOf(routers));
  return [...mounts, { routers: [], middleware: unknownPage(services, cookies, () => routes) }];
}

/** The pages of the sample product. */
function samplePages(services: Services, pages: Pages): Router<State>[] {
  return [marketplacePages(services, pages), billingPages(services, pages), ticketPages(services, pages)];
}
