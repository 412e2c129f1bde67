import type Router from '@koa/router';
import { findInvitation, type Invitation } from '../../../db/tables/people/invitations.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { inviteMember, type InvitationInput } from '../../actions/people/inviteMember.ts';
import { withdrawInvitation } from '../../actions/people/withdrawInvitation.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields, formErrors } from '../shell/formErrors.ts';
import { showInvitationLink } from './invitationLink.ts';
import { grantableRights } from './view.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { NewInvitation } from '../../inputs/memberInput.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { pathId } from '../../http/pathId.ts';

const home = (ctx: Context) => organisationPath(ctx, '/members');
const FIELDS = ['email', 'role', 'permissions'] as const;

/** Adds inviting, the link at the one moment it is shown, and taking an invitation back. */
export function memberInvitationPages(
  router: Router<State>,
  { config, db }: Pick<Services, 'config' | 'db'>,
  pages: Pages,
): Router<State> {
  return router
    .get('/members/new', permission('members:manage'), async (ctx) => showForm(ctx))
    .post('/members/invitations', permission('members:manage'), async (ctx) => {
      const form = formOf(ctx);
      const fields = {
        email: form.get('email') ?? '',
        role: form.get('role') ?? undefined,
        permissions: form.getAll('permissions'),
      };
      const outcome = await recoverable(async () =>
        inviteMember(actionContext(ctx, db), readFields(NewInvitation, fields)),
      );
      if ('refusal' in outcome) await showForm(ctx, { form, refusal: outcome.refusal });
      else await showLink(ctx, outcome.done);
    })
    .post('/members/invitations/:id/link', permission('members:manage'), async (ctx) => {
      const { email, role, permissions } = await invitationOf(ctx);
      const again: InvitationInput = { email, role, permissions };
      await showLink(ctx, await inviteMember(actionContext(ctx, db), again));
    })
    .get('/members/invitations/:id/withdraw', permission('members:manage'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, email } = await invitationOf(ctx);
      await askConfirmation(pages, ctx, 'members', {
        title: t('members.withdraw_title', { email }),
        lines: [t('members.withdraw_text')],
        action: `${home(ctx)}/invitations/${id}/withdraw`,
        submit: t('members.withdraw'),
        keep: t('members.keep_invitation'),
        back: home(ctx),
        danger: true,
      });
    })
    .post('/members/invitations/:id/withdraw', permission('members:manage'), async (ctx) => {
      const { id, email } = await invitationOf(ctx);
      await withdrawInvitation(actionContext(ctx, db), id);
      pages.redirect(ctx, home(ctx), { text: 'members.withdrawn', values: { email } });
    });

  async function invitationOf(ctx: Context): Promise<Invitation> {
    const invitation = await findInvitation(db, principalOf(ctx).tenant.id, pathId(ctx));
    if (!invitation) throw new AppError('not_found', 'no_such_invitation');
    return invitation;
  }

  async function showForm(ctx: Context, returned?: { form: URLSearchParams; refusal: AppError }): Promise<void> {
    const { form, refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const values = {
      email: form?.get('email') ?? '',
      role: form?.get('role') ?? 'MEMBER',
      permissions: form?.getAll('permissions') ?? [],
    };
    const labels = Object.fromEntries(FIELDS.map((field) => [field, words.t(`members.${field}`)]));
    const refused = refusal && formErrors(words, refusal, labels);
    const locals = { values, refused, givable: grantableRights(principalOf(ctx), config.sampleProduct) };
    await pages.show(ctx, 'members/new', {
      title: words.t('members.invite'),
      section: 'members',
      locals,
      here: `${home(ctx)}/new`,
    });
  }

  async function showLink(ctx: Context, invited: Awaited<ReturnType<typeof inviteMember>>): Promise<void> {
    await showInvitationLink(pages, config, ctx, invited, { section: 'members', back: home(ctx) });
  }
}
