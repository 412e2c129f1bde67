import Router from '@koa/router';
import { hasAnyUser } from '../../../db/tables/people/users.ts';
import { originOf } from '../../actions/actionContext.ts';
import { signOut } from '../../actions/people/endSession.ts';
import { openSession } from '../../actions/people/openSession.ts';
import { signIn, type SignedIn } from '../../actions/people/signIn.ts';
import type { Context, State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf, requireCsrfToken } from '../../auth/csrf.ts';
import { readForm } from '../../http/body.ts';
import { DEVICE_SECONDS } from '../../auth/devices.ts';
import { ownPath } from '../../http/ownPath.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

/** A failed attempt as the login page shows it. */
interface FailedLogin {
  email: string;
  problem: 'wrong' | 'throttled';
  retryAfter?: number;
}

/** The submitted fields, and the browser's id if it has signed in to this account before. */
interface Login {
  email: string;
  password: string;
  device: string | undefined;
}

/** The way in and out of the admin, by email and password. */
export function loginRoutes(
  { db, devices, limits }: Pick<Services, 'db' | 'devices' | 'limits'>,
  pages: Pages,
): Router<State> {
  const { cookies } = pages;
  return new Router<State>(ROUTER)
    .get('/login', open(), async (ctx) => {
      const next = ownPath(new URLSearchParams(ctx.querystring).get('next')) ?? '/';
      if (ctx.state.session) pages.redirect(ctx, next);
      else await showForm(ctx, next);
    })
    .post('/login', open(), async (ctx) => {
      const form = await readForm(ctx);
      const next = ownPath(form.get('next')) ?? '/';
      const email = form.get('email') ?? '';
      const device = await devices.known(cookies.get(ctx, 'device'), email);
      const signedIn = await attempt(ctx, { email, password: form.get('password') ?? '', device });
      if ('problem' in signedIn) {
        await showForm(ctx, next, signedIn);
        return;
      }
      await startSession(ctx, signedIn);
      cookies.set(ctx, 'device', devices.textFor(email, Date.now(), device), DEVICE_SECONDS);
      pages.redirect(ctx, next);
    })
    .post('/logout', open(), requireCsrfToken, async (ctx) => {
      await endOwnSession(ctx);
      cookies.clear(ctx, 'session');
      const next = ownPath(formOf(ctx).get('next'));
      pages.redirect(ctx, next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`, {
        text: 'login.signed_out',
      });
    });

  async function attempt(ctx: Context, login: Login): Promise<SignedIn | FailedLogin> {
    const { email, device } = login;
    const act = { db, now: Date.now(), origin: originOf(ctx) };
    try {
      const loginAttempt = { email, address: ctx.state.countedAddress, device };
      const found = await limits.login.attempt(loginAttempt, async () => signIn(act, login));
      if (found) return found;
      ctx.status = 422;
      return { email, problem: 'wrong' };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      ctx.status = 429;
      ctx.set(error.headers);
      return { email, problem: 'throttled', retryAfter: Number(error.headers['Retry-After']) };
    }
  }

  async function startSession(ctx: Context, { user, belongings }: SignedIn): Promise<void> {
    const act = { db, now: Date.now(), origin: originOf(ctx) };
    const formerToken = cookies.get(ctx, 'session');
    const tenantId = belongings[0]?.tenantId ?? null;
    cookies.set(ctx, 'session', await openSession(act, { userId: user.id, tenantId, formerToken }));
  }

  async function endOwnSession(ctx: Context): Promise<void> {
    const { session } = ctx.state;
    if (!session) return;
    const { id, tenantId, person } = session;
    const actor = { type: 'user', id: person.id, name: person.name } as const;
    await signOut({ db, now: Date.now(), origin: originOf(ctx), tenantId, actor }, person.id, id);
  }

  /** The password is never written back into a page. */
  async function showForm(ctx: Context, next: string, failed?: FailedLogin): Promise<void> {
    const { t } = pages.texts(ctx);
    const setUp = await hasAnyUser(db);
    await pages.showOpen(ctx, 'signIn/login', { title: t('login.title'), locals: { next, failed, setUp } });
  }
}
