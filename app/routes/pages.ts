import { openPageGuards, pageGuards } from '../middleware/pageGuards.ts';
import { cookiesOf } from '../pages/cookies.ts';
import { createPages } from '../pages/pages.ts';
import type { Services } from '../services.ts';
import { apiKeyPages } from './admin/apiKeys.ts';
import { docsRoutes } from './admin/docs.ts';
import { loginRoutes } from './admin/login.ts';
import { readerRoutes, tenantSwitchRoutes } from './admin/reader.ts';
import { setupRoutes } from './admin/setup.ts';
import { mount, type Mount } from './mount.ts';
import { routesOf, type Route } from './table.ts';

/**
 * Everything that browsers show people: pages open to the world, and those of the admin behind their guards. The table
 * of all routes is known only once they are mounted.
 */
export function pageMounts(services: Services, table: () => readonly Route[]): Mount[] {
  const cookies = cookiesOf(services.config.publicUrl);
  const routes: Route[] = [];
  const pages = createPages(services, cookies, () => routes);
  const open = [
    loginRoutes(services, pages),
    readerRoutes(services, pages),
    setupRoutes(services, pages),
    docsRoutes(),
  ];
  const admin = [tenantSwitchRoutes(services, pages), apiKeyPages(services, pages, table)];
  const mounts = [
    mount('', openPageGuards(services, cookies), open),
    mount('/admin', pageGuards(services, cookies), admin),
  ];
  for (const { routers } of mounts) routes.push(...routesOf(routers));
  return mounts;
}
