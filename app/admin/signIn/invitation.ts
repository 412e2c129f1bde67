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
import { noteSignedIn } from '../../actions/people/signIn.ts';
import type { Context, State } from '../../context.ts';
import { passwordFault, passwordProblem } from '../../domain/password.ts';
import { refuses } from '../../domain/problem.ts';
import { Name } from '../../domain/text.ts';
import { AppError } from '../../errors.ts';
import { formOf, ownForm } from '../../auth/csrf.ts';
import { keepLinkToken, linkToken } from './linkToken.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields, refusedIn } from '../shell/formErrors.ts';
import type { Services } from '../../services.ts';
import { open } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const HOME = '/invitation';
const FIELDS = ['name', 'password'] as const;

/** The page on which the invited person joins an organisation, for whoever holds the link. */
export function invitationRoutes({ db, limits }: Pick<Services, 'db' | 'limits'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get('/invitation', open(), async (ctx) => {
      if (keepLinkToken(ctx, pages, 'invitation', HOME)) return;
      await show(ctx, await invitationIn(ctx));
    })
    .post('/invitation/accept', open(), ownForm, async (ctx) => {
      const invitation = await answeredIn(ctx);
      const { session } = ctx.state;
      if (!session) {
        pages.lead(ctx, HOME);
        return;
      }
      const outcome = await recoverable(async () => acceptInvitation(answering(ctx), invitation, session.person.id));
      if ('refusal' in outcome) await show(ctx, invitation, outcome);
      else {
        await changeSessionTenant(db, session.id, invitation.tenantId);
        welcome(ctx, invitation);
      }
    })
    .post('/invitation/decline', open(), ownForm, async (ctx) => {
      const invitation = await answeredIn(ctx);
      const { session } = ctx.state;
      await declineInvitation(answering(ctx), invitation, session?.person);
      pages.cookies.clear(ctx, 'invitation');
      pages.lead(ctx, session ? '/' : '/login', {
        text: 'invitation.declined',
        values: { tenant: invitation.tenantName },
      });
    })
    .post('/invitation/join', open(), ownForm, async (ctx) => {
      const invitation = await answeredIn(ctx);
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const account = accountIn(form, invitation.email);
        const who = { email: invitation.email, address: ctx.state.countedAddress };
        // An email that has an account counts as a failed attempt to sign in, so that no link is a way to guess.
        const made = await limits.login.attempt(who, async () =>
          joinWithNewAccount(answering(ctx), invitation, account),
        );
        if (!made) throw noNewAccount();
        return made;
      });
      if ('refusal' in outcome) await show(ctx, invitation, { ...outcome, name: form.get('name') ?? '' });
      else await begin(ctx, outcome.done, invitation);
    });

  function answering(ctx: Context) {
    return { db, now: Date.now(), origin: originOf(ctx) };
  }

  async function invitationIn(ctx: Context): Promise<OpenedInvitation> {
    const token = linkToken(ctx, pages, 'invitation');
    const invitation = token === undefined ? undefined : await openInvitation(answering(ctx), token);
    if (!invitation) throw invitationGone();
    return invitation;
  }

  /** The invitation that the form was about, which another link opened meanwhile must not replace. */
  async function answeredIn(ctx: Context): Promise<OpenedInvitation> {
    const invitation = await invitationIn(ctx);
    if (formOf(ctx).get('invitation') !== invitation.id) throw invitationGone();
    return invitation;
  }

  /** Who has just chosen a password need not be asked for it. */
  async function begin(ctx: Context, user: CreatedUser, invitation: OpenedInvitation): Promise<void> {
    const { tenantId } = invitation;
    const act = answering(ctx);
    await noteSignedIn(act, user, tenantId);
    const formerToken = pages.cookies.get(ctx, 'session');
    pages.cookies.set(ctx, 'session', await openSession(act, { userId: user.id, tenantId, formerToken }));
    welcome(ctx, invitation);
  }

  function welcome(ctx: Context, { tenantName: tenant }: OpenedInvitation): void {
    pages.cookies.clear(ctx, 'invitation');
    pages.lead(ctx, '/', { text: 'invitation.accepted', values: { tenant } });
  }

  /** Both ways to join are always shown, so that the page tells nothing of who has an account. */
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
      refused: refusal && refusedIn(words, refusal, labels),
    };
    const title = words.t('invitation.title', { tenant });
    await pages.showOpen(ctx, 'signIn/invitation', { title, locals, here: HOME });
  }
}

/** The name and the password as somebody wrote them, or the refusal that names the fields which are wrong. */
function accountIn(form: URLSearchParams, email: string): { name: string; password: string } {
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
