import Router from '@koa/router';
import { changeSessionTenant } from '../../../db/tables/people/sessions.ts';
import { changePreferences } from '../../../db/tables/people/users.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { localeNamed, themeNamed } from '../../domain/locale.ts';
import { AppError } from '../../errors.ts';
import { formOf, requireCsrfToken } from '../../auth/csrf.ts';
import { KEYS_PATH } from '../keys/keyAddress.ts';
import { ownPath } from '../../http/ownPath.ts';
import { FRONT_PAGE } from '../shell/frame.ts';
import type { Pages } from '../shell/pages.ts';
import { refuseConfinedElsewhere } from '../../auth/confined.ts';
import type { Services } from '../../services.ts';
import { anyCredential, open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const YEAR_SECONDS = 31_536_000;

/** The front page, other addresses of pages, and the switches of language and look, which work before anybody has signed in. */
export function readerRoutes({ db }: Pick<Services, 'db'>, pages: Pages): Router<State> {
  return (
    new Router<State>(ROUTER)
      .get('/', open(), async (ctx) => pages.redirect(ctx, FRONT_PAGE))
      .get('/admin', open(), async (ctx) => pages.redirect(ctx, FRONT_PAGE))
      // The address at which other products have their keys.
      .get('/settings/api-keys', open(), async (ctx) => pages.redirect(ctx, KEYS_PATH))
      .post('/preferences', open(), requireCsrfToken, async (ctx) => {
        const form = formOf(ctx);
        const locale = localeNamed(form.get('locale'));
        const theme = themeNamed(form.get('theme'));
        if (locale) pages.cookies.set(ctx, 'locale', locale, YEAR_SECONDS);
        if (theme) pages.cookies.set(ctx, 'theme', theme, YEAR_SECONDS);
        const { session } = ctx.state;
        if (session && (locale ?? theme)) {
          await changePreferences(db, session.person.id, { ...(locale && { locale }), ...(theme && { theme }) });
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

/** The switch between the tenants of a person, kept for the session. */
export function tenantSwitchRoutes({ db, lookup }: Pick<Services, 'db' | 'lookup'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER).post('/tenant', anyCredential(), async (ctx) => {
    const tenantId = formOf(ctx).get('tenant') ?? '';
    await requireMembership(ctx, tenantId);
    const { session } = ctx.state;
    if (session) await changeSessionTenant(db, session.id, tenantId);
    // Not back to the page they were on, which may be about something of the other tenant.
    pages.redirect(ctx, FRONT_PAGE);
  });

  async function requireMembership(ctx: Context, tenantId: string): Promise<void> {
    const person = await lookup.person('id', principalOf(ctx).id);
    const membership = person?.memberships.find(({ tenant }) => tenant.id === tenantId);
    if (!membership) throw new AppError('not_found', 'not_your_organisation');
    if (person) refuseConfinedElsewhere(person, tenantId);
    if (!membership.tenant.active) throw new AppError('tenant_suspended', 'tenant_is_suspended');
  }
}
