import { compressPage } from '../middleware/compressPage.ts';
import { openPageGuards, pageGuards } from '../middleware/pageGuards.ts';
import { cookiesOf } from '../pages/cookies.ts';
import { createPages } from '../pages/pages.ts';
import type { Services } from '../services.ts';
import { apiKeyPages } from './admin/apiKeys.ts';
import { auditLogPages } from './admin/auditLogs.ts';
import { billingPages } from './admin/billing.ts';
import { docsRoutes } from './admin/docs.ts';
import { frontRoutes } from './admin/front.ts';
import { invitationRoutes } from './admin/invitation.ts';
import { loginRoutes } from './admin/login.ts';
import { marketplacePages } from './admin/marketplace.ts';
import { memberPages } from './admin/members.ts';
import { membershipPages } from './admin/membership.ts';
import { passwordResetRoutes } from './admin/passwordReset.ts';
import { readerRoutes, tenantSwitchRoutes } from './admin/reader.ts';
import { routePages } from './admin/routes.ts';
import { securityPages } from './admin/security.ts';
import { setupRoutes } from './admin/setup.ts';
import { tenantPages } from './admin/tenants.ts';
import { ticketPages } from './admin/tickets.ts';
import { usagePages } from './admin/usage.ts';
import { mount, type Mount } from './mount.ts';
import { routesOf, type Route } from './table.ts';

/**
 * Everything that browsers show people: pages open to the world, and those of the admin behind their guards. The table
 * of all routes is known only once they are mounted.
 */
export function pageMounts(services: Services, table: () => readonly Route[]): Mount[] {
  const cookies = cookiesOf(services.config.publicUrl);
  const routes: Route[] = [];
  const pages = createPages(cookies, () => routes);
  const open = [
    loginRoutes(services, pages),
    readerRoutes(services, pages),
    setupRoutes(services, pages),
    invitationRoutes(services, pages),
    passwordResetRoutes(services, pages),
    docsRoutes(pages),
  ];
  const admin = [
    tenantSwitchRoutes(services, pages),
    frontRoutes(pages, () => routes),
    apiKeyPages(services, pages, table),
    usagePages(services, pages),
    auditLogPages(services, pages),
    routePages(services, pages, table),
    marketplacePages(services, pages),
    billingPages(services, pages),
    securityPages(services, pages),
    memberPages(services, pages),
    membershipPages(services, pages),
    ticketPages(services, pages),
    tenantPages(services, pages),
  ];
  const mounts = [
    mount('', [compressPage, ...openPageGuards(services, cookies)], open),
    mount('/admin', [compressPage, ...pageGuards(services, cookies)], admin),
  ];
  for (const { routers } of mounts) routes.push(...routesOf(routers));
  return mounts;
}
