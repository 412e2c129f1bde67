import Router from '@koa/router';
import { changePreferences } from '../../../db/tables/people/users.ts';
import type { State } from '../../context.ts';
import { localeNamed, themeNamed } from '../../domain/locale.ts';
import { formOf, requireCsrfToken } from '../../auth/csrf.ts';
import { ownPath } from '../../http/ownPath.ts';
import { FRONT_PAGE } from '../shell/frame.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const YEAR_SECONDS = 31_536_000;

/** The form of language and theme, which works before anybody has signed in, and the addresses that lead to the front page. */
export function preferenceRoutes({ db }: Pick<Services, 'db'>, pages: Pages): Router<State> {
  return (
    new Router<State>(ROUTER)
      .get('/', open(), async (ctx) => pages.redirect(ctx, FRONT_PAGE))
      .get('/admin', open(), async (ctx) => pages.redirect(ctx, FRONT_PAGE))
      // The address at which other products have their keys.
      .get('/settings/api-keys', open(), async (ctx) => pages.redirect(ctx, '/admin/api-keys'))
      .post('/preferences', open(), requireCsrfToken, async (ctx) => {
        const form = formOf(ctx);
        const locale = localeNamed(form.get('locale'));
        // The system's theme is the absence of a choice, so that it is followed when it changes.
        const theme = form.get('theme') === 'system' ? null : themeNamed(form.get('theme'));
        if (locale) pages.cookies.set(ctx, 'locale', locale, YEAR_SECONDS);
        if (theme) pages.cookies.set(ctx, 'theme', theme, YEAR_SECONDS);
        if (theme === null) pages.cookies.clear(ctx, 'theme');
        const { session } = ctx.state;
        if (session && (locale !== undefined || theme !== undefined)) {
          await changePreferences(db, session.person.id, {
            ...(locale && { locale }),
            ...(theme !== undefined && { theme }),
          });
        }
        pages.redirect(ctx, ownPath(form.get('next')) ?? loginPathIn(form) ?? '/');
      })
  );
}

/** The login page is no page to return to, except from itself. */
function loginPathIn(form: URLSearchParams): string | undefined {
  const [path, query = ''] = (form.get('next') ?? '').split('?');
  if (path !== '/login') return undefined;
  const next = ownPath(new URLSearchParams(query).get('next'));
  return next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`;
}
