import type { Middleware } from '../../context.ts';
import type { Cookies } from '../../http/cookies.ts';
import type { Services } from '../../services.ts';
import { views } from './views.ts';
import { requireCsrfToken, requireSameOrigin } from '../../auth/csrf.ts';
import { requireAccess } from '../../auth/requireAccess.ts';
import { session, signedIn } from '../../auth/session.ts';

/** The guards of pages that are open to the world. */
export function openPageGuards(
  { config, lookup }: Pick<Services, 'config' | 'lookup'>,
  cookies: Cookies,
): Middleware[] {
  return [...guardsOfEveryPage(config.publicUrl), session(lookup, cookies)];
}

/** The guards of pages for people who are signed in; `requireAccess` then checks each page's own access. */
export function pageGuards(services: Pick<Services, 'config' | 'db' | 'lookup'>, cookies: Cookies): Middleware[] {
  const { config, db, lookup } = services;
  return [...guardsOfEveryPage(config.publicUrl), signedIn(db, lookup, cookies), requireCsrfToken, requireAccess];
}

function guardsOfEveryPage(publicUrl: string): Middleware[] {
  return [views(), requireSameOrigin(publicUrl), varyByHtmx];
}

/** The same address answers htmx with a part of the page. */
const varyByHtmx: Middleware = (ctx, next) => {
  ctx.vary('HX-Request');
  return next();
};
