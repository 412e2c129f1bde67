import Router from '@koa/router';
import { z } from 'zod';
import { changeSessionTenant } from '../../../db/tables/people/sessions.ts';
import type { OpenedInvitation } from '../../../db/tables/people/invitations.ts';
import { originOf } from '../../actions/actionContext.ts';
import {
  acceptInvitation,
  declineInvitation,
  invitationGone,
  joinWithNewAccount,
  openInvitation,
} from '../../actions/people/answerInvitation.ts';
import type { CreatedUser } from '../../actions/people/createUser.ts';
import { openSession } from '../../actions/people/openSession.ts';
import { recordLogin } from '../../actions/people/signIn.ts';
import type { Context, State } from '../../context.ts';
import { passwordFault, passwordProblem } from '../../domain/password.ts';
import { refuses } from '../../domain/problem.ts';
import { Name } from '../../domain/text.ts';
import { AppError } from '../../errors.ts';
import { formOf, requireCsrfToken } from '../../auth/csrf.ts';
import { keepLinkToken, linkToken } from './linkToken.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields, formErrors } from '../shell/formErrors.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const HOME = '/invitation';
const FIELDS = ['name', 'password'] as const;

/** The page on which an invited person joins an organisation, open to anyone who has the link. */
export function invitationRoutes({ db, limits }: Pick<Services, 'db' | 'limits'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/invitation', open(), async (ctx) => {
      if (keepLinkToken(ctx, pages, 'invitation', HOME)) return;
      await show(ctx, await invitationOfLink(ctx));
    })
    .post('/invitation/accept', open(), requireCsrfToken, async (ctx) => {
      const invitation = await invitationOfForm(ctx);
      const { session } = ctx.state;
      if (!session) {
        pages.redirect(ctx, HOME);
        return;
      }
      const outcome = await recoverable(async () =>
        acceptInvitation(answerContext(ctx), invitation, session.person.id),
      );
      if ('refusal' in outcome) await show(ctx, invitation, outcome);
      else {
        await changeSessionTenant(db, session.id, invitation.tenantId);
        welcome(ctx, invitation);
      }
    })
    .post('/invitation/decline', open(), requireCsrfToken, async (ctx) => {
      const invitation = await invitationOfForm(ctx);
      const { session } = ctx.state;
      await declineInvitation(answerContext(ctx), invitation, session?.person);
      pages.cookies.clear(ctx, 'invitation');
      pages.redirect(ctx, session ? '/' : '/login', {
        text: 'invitation.declined',
        values: { tenant: invitation.tenantName },
      });
    })
    .post('/invitation/join', open(), requireCsrfToken, async (ctx) => {
      const invitation = await invitationOfForm(ctx);
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const account = readNewAccount(form, invitation.email);
        const loginAttempt = { email: invitation.email, address: ctx.state.countedAddress };
        // An email that has an account counts as a failed login, so that links cannot be used to guess emails.
        const made = await limits.login.attempt(loginAttempt, async () =>
          joinWithNewAccount(answerContext(ctx), invitation, account),
        );
        if (!made) throw noNewAccount();
        return made;
      });
      if ('refusal' in outcome) await show(ctx, invitation, { ...outcome, name: form.get('name') ?? '' });
      else await signInNewPerson(ctx, outcome.done, invitation);
    });

  function answerContext(ctx: Context) {
    return { db, now: Date.now(), origin: originOf(ctx) };
  }

  async function invitationOfLink(ctx: Context): Promise<OpenedInvitation> {
    const token = linkToken(ctx, pages, 'invitation');
    const invitation = token === undefined ? undefined : await openInvitation(answerContext(ctx), token);
    if (!invitation) throw invitationGone();
    return invitation;
  }

  /** The invitation that the form names; a link opened in another tab in the meantime must not replace it. */
  async function invitationOfForm(ctx: Context): Promise<OpenedInvitation> {
    const invitation = await invitationOfLink(ctx);
    if (formOf(ctx).get('invitation') !== invitation.id) throw invitationGone();
    return invitation;
  }

  /** The person has just chosen a password and need not enter it again. */
  async function signInNewPerson(ctx: Context, user: CreatedUser, invitation: OpenedInvitation): Promise<void> {
    const { tenantId } = invitation;
    const act = answerContext(ctx);
    await recordLogin(act, user, tenantId);
    const formerToken = pages.cookies.get(ctx, 'session');
    pages.cookies.set(ctx, 'session', await openSession(act, { userId: user.id, tenantId, formerToken }));
    welcome(ctx, invitation);
  }

  function welcome(ctx: Context, { tenantName: tenant }: OpenedInvitation): void {
    pages.cookies.clear(ctx, 'invitation');
    pages.redirect(ctx, '/', { text: 'invitation.accepted', values: { tenant } });
  }

  /** Both ways to join are always shown, so that the page does not reveal whether the email has an account. */
  async function show(
    ctx: Context,
    invitation: OpenedInvitation,
    returned: { refusal?: AppError; name?: string } = {},
  ): Promise<void> {
    const { refusal, name = '' } = returned;
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const { id, tenantName: tenant, email, role, inviter, expiresAt } = invitation;
    const labels = Object.fromEntries(FIELDS.map((field) => [field, words.t(`invitation.${field}`)]));
    const signedInAs = ctx.state.session?.email;
    const locals = {
      invitation: { id, tenant, email, role, inviter: inviter.name, expiresAt },
      signedInAs,
      own: signedInAs === email,
      values: { name },
      refused: refusal && formErrors(words, refusal, labels),
    };
    const title = words.t('invitation.title', { tenant });
    await pages.showOpen(ctx, 'signIn/invitation', { title, locals, here: HOME });
  }
}

/** Parses the name and password of the new account, or refuses them by field. */
function readNewAccount(form: URLSearchParams, email: string): { name: string; password: string } {
  const password = form.get('password') ?? '';
  const NewAccount = z.strictObject({
    name: Name,
    password: z.string().check(
      refuses((text) => {
        const problem = passwordProblem(text, email);
        return problem && passwordFault(problem);
      }),
    ),
  });
  return readFields(NewAccount, { name: form.get('name') ?? '', password });
}

function noNewAccount(): AppError {
  return new AppError('conflict', 'no_account_made');
}
