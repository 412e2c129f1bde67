import Router from '@koa/router';
import type { User } from '../../../db/tables/people/users.ts';
import { originOf } from '../../actions/actionContext.ts';
import { openReset, resetPassword } from '../../actions/people/resetPassword.ts';
import type { Context, State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf, requireCsrfToken } from '../../auth/csrf.ts';
import { keepLinkToken, linkToken } from './linkToken.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, formErrors } from '../shell/formErrors.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const HOME = '/reset';

/** The page on which a person chooses a new password, open to anyone who has the link that an operator created. */
export function passwordResetRoutes({ db }: Pick<Services, 'db'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/reset', open(), async (ctx) => {
      if (keepLinkToken(ctx, pages, 'reset', HOME)) return;
      await show(ctx, (await personOfLink(ctx)).user);
    })
    .post('/reset', open(), requireCsrfToken, async (ctx) => {
      const { token, user } = await personOfLink(ctx);
      const wanted = formOf(ctx).get('wanted') ?? '';
      const outcome = await recoverable(async () => {
        const act = { db, now: Date.now(), origin: originOf(ctx) };
        if (!(await resetPassword(act, token, wanted))) throw gone();
      });
      if ('refusal' in outcome) {
        await show(ctx, user, outcome.refusal);
        return;
      }
      pages.cookies.clear(ctx, 'reset');
      // The person's own session has ended too, and another person's session in this browser must not go on.
      pages.cookies.clear(ctx, 'session');
      pages.redirect(ctx, '/login', { text: 'reset.done' });
    });

  async function personOfLink(ctx: Context): Promise<{ token: string; user: User }> {
    const token = linkToken(ctx, pages, 'reset');
    const user = token === undefined ? undefined : await openReset({ db, now: Date.now() }, token);
    if (token === undefined || !user) throw gone();
    return { token, user };
  }

  /** The password is never written back into a page. */
  async function show(ctx: Context, { email }: User, refusal?: AppError): Promise<void> {
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const refused = refusal && formErrors(words, refusal, { wanted: words.t('reset.wanted') });
    await pages.showOpen(ctx, 'signIn/reset', {
      title: words.t('reset.title'),
      locals: { email, refused },
      here: HOME,
    });
  }
}

function gone(): AppError {
  return new AppError('not_found', 'link_gone');
}
