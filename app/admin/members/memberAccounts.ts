import type Router from '@koa/router';
import type { Member } from '../../../db/tables/people/memberships.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { changeUser } from '../../actions/people/changeUser.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import type { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields } from '../shell/formErrors.ts';
import type { Services } from '../../services.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { permission } from '../../http/access.ts';
import { UserChange } from '../../inputs/memberInput.ts';

const home = (ctx: Context) => organisationPath(ctx, '/members');

/** The functions of the member pages that these routes need. */
interface MemberPageParts {
  memberOf: (ctx: Context) => Promise<Member>;
  showMember: (ctx: Context, member: Member, returned: { refusal: AppError }) => Promise<void>;
}

/** Adds what concerns a member's account, which reaches beyond the tenant: disabling and enabling it. */
export function memberAccountPages(
  router: Router<State>,
  { db }: Pick<Services, 'db'>,
  pages: Pages,
  { memberOf, showMember }: MemberPageParts,
): Router<State> {
  return router
    .get('/members/:id/disable', permission('members:manage'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, name, email } = await memberOf(ctx);
      await askConfirmation(pages, ctx, 'members', {
        title: t('members.disable_title', { name }),
        lines: [t('members.disable_text', { name, email }), t('members.disable_undo')],
        action: `${home(ctx)}/${id}/status`,
        fields: { status: 'disabled' },
        submit: t('members.disable'),
        keep: t('members.keep'),
        back: `${home(ctx)}/${id}`,
        danger: true,
      });
    })
    .post('/members/:id/status', permission('members:manage'), async (ctx) => {
      const member = await memberOf(ctx);
      const status = formOf(ctx).get('status');
      const outcome = await recoverable(async () => {
        const change = readFields(UserChange, { status });
        await changeUser(actionContext(ctx, db), member.id, change);
      });
      const text = status === 'disabled' ? 'members.disabled_now' : 'members.enabled_now';
      if ('refusal' in outcome) await showMember(ctx, member, outcome);
      else if (member.id === principalOf(ctx).id) pages.redirect(ctx, '/');
      else pages.redirect(ctx, home(ctx), { text, values: { name: member.name } });
    });
}
