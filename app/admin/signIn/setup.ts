import Router from '@koa/router';
import { hasAnyUser } from '../../../db/tables/people/users.ts';
import { originOf } from '../../actions/actionContext.ts';
import { openSession } from '../../actions/people/openSession.ts';
import { setUp, type FirstPerson } from '../../actions/tenants/setUp.ts';
import { recordLogin } from '../../actions/people/signIn.ts';
import type { Context, State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { readForm } from '../../http/body.ts';
import { readFirstPerson, type FirstPersonProblems } from '../../actions/people/firstPerson.ts';
import { isSetUpToken } from '../../auth/setUpLink.ts';
import { requestOrigin } from '../shell/curl.ts';
import type { Pages } from '../shell/pages.ts';
import { presentFirstSteps } from './firstSteps.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

/** The page on which the first person creates their account, open to anyone who has the link that the start printed. */
export function setupRoutes(
  { config, db, secret }: Pick<Services, 'config' | 'db' | 'secret'>,
  pages: Pages,
): Router<State> {
  return new Router<State>(ROUTER)
    .get('/setup', open(), async (ctx) => {
      const token = new URLSearchParams(ctx.querystring).get('token') ?? '';
      requireSetUpToken(token);
      if (await hasAnyUser(db)) return showUsed(ctx);
      await showForm(ctx, pages, token);
    })
    .post('/setup', open(), async (ctx) => {
      const form = await readForm(ctx);
      const token = form.get('token') ?? '';
      requireSetUpToken(token);
      if (await hasAnyUser(db)) return showUsed(ctx);
      const written = personIn(form);
      const read = readFirstPerson(written);
      if ('problems' in read) {
        ctx.status = 422;
        await showForm(ctx, pages, token, written, read.problems);
        return;
      }
      const act = { db, now: Date.now(), origin: originOf(ctx) };
      const made = await setUp(act, read.person);
      if (!made) return showUsed(ctx);
      await signInFirst(ctx, act, made);
      const { t } = pages.texts(ctx);
      const locals = presentFirstSteps(requestOrigin(ctx, config.publicUrl), made, t('setup.first_key_name'));
      await pages.showOpen(ctx, 'signIn/setUpDone', { title: t('setup.done_title'), locals });
    });

  /** The person has just chosen a password and need not enter it again. */
  async function signInFirst(ctx: Context, act: FirstAct, { user, tenant }: SetUp): Promise<void> {
    await recordLogin(act, user, tenant.id);
    const formerToken = pages.cookies.get(ctx, 'session');
    pages.cookies.set(ctx, 'session', await openSession(act, { userId: user.id, tenantId: tenant.id, formerToken }));
  }

  /** The token also protects the form from forged requests. */
  function requireSetUpToken(token: string): void {
    if (!isSetUpToken(token, secret)) throw new AppError('not_found', 'nothing_to_set_up');
  }

  /** Once a person exists, the link does nothing but lead to sign-in. */
  async function showUsed(ctx: Context): Promise<void> {
    ctx.status = 410;
    await pages.showOpen(ctx, 'signIn/setUpUsed', { title: pages.texts(ctx).t('setup.used_title') });
  }
}

type FirstAct = Parameters<typeof setUp>[0];
type SetUp = NonNullable<Awaited<ReturnType<typeof setUp>>>;

const FIELDS = ['name', 'email', 'password', 'tenantName'] as const;

function personIn(form: URLSearchParams): FirstPerson {
  const [name = '', email = '', password = '', tenantName = ''] = FIELDS.map((field) => form.get(field) ?? '');
  return { name, email, password, tenantName };
}

/** The password is never written back into a page. */
async function showForm(
  ctx: Context,
  pages: Pages,
  token: string,
  { name, email, tenantName }: Omit<FirstPerson, 'password'> = { name: '', email: '', tenantName: '' },
  problems: FirstPersonProblems = {},
): Promise<void> {
  const { t, pageProblemText } = pages.texts(ctx);
  const translated = Object.fromEntries(
    Object.entries(problems).map(([field, problem]) => [field, pageProblemText(problem)]),
  );
  const title = t(Object.keys(problems).length > 0 ? 'setup.title_again' : 'setup.title');
  const locals = { token, values: { name, email, tenantName }, problems: translated, fields: FIELDS };
  await pages.showOpen(ctx, 'signIn/setUp', { title, locals });
}
