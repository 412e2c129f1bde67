import type { Middleware } from '../../context.ts';
import { compose } from '../../http/compose.ts';
import type { Cookies } from '../../http/cookies.ts';
import type { Route } from '../../http/table.ts';
import type { Services } from '../../services.ts';
import { views } from './views.ts';
import { requireCsrfToken, requireSameOrigin } from '../../auth/csrf.ts';
import { requireAccess } from '../../auth/requireAccess.ts';
import { knownPerson, session, signedIn } from '../../auth/session.ts';

/** The guards of pages that are open to the world. */
export function openPageGuards(
  { config, lookup }: Pick<Services, 'config' | 'lookup'>,
  cookies: Cookies,
): Middleware[] {
  return [...guardsOfEveryPage(config.publicUrl), session(lookup, cookies)];
}

/** The guards of pages for people who are signed in; `requireAccess` then checks each page's own access. */
export function pageGuards(
  services: Pick<Services, 'config' | 'db' | 'lookup'>,
  cookies: Cookies,
  routes: () => readonly Route[],
): Middleware[] {
  const { config, db, lookup } = services;
  return [
    ...guardsOfEveryPage(config.publicUrl),
    knowRoutes(routes),
    signedIn(db, lookup, cookies),
    requireCsrfToken,
    requireAccess,
  ];
}

/** Loads who is signed in at an address below `/admin` that no page has, so that its error page has the navigation. */
export function unknownPage({ lookup }: Services, cookies: Cookies, routes: () => readonly Route[]): Middleware {
  const load: Middleware = compose([knowRoutes(routes), knownPerson(lookup, cookies)]);
  return async (ctx, next) => {
    if (ctx.path.startsWith('/admin/')) await load(ctx, next);
    else await next();
  };
}

function knowRoutes(routes: () => readonly Route[]): Middleware {
  return async (ctx, next) => {
    ctx.state.pageRoutes = routes();
    await next();
  };
}

function guardsOfEveryPage(publicUrl: string): Middleware[] {
  return [views(), requireSameOrigin(publicUrl), varyByHtmx];
}

/** The same address answers htmx with a part of the page. */
const varyByHtmx: Middleware = (ctx, next) => {
  ctx.vary('HX-Request');
  return next();
};
