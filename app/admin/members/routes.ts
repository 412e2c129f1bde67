import Router from '@koa/router';
import { z } from 'zod';
import { listInvitations } from '../../../db/tables/people/invitations.ts';
import { findMember, listMembers, type Member } from '../../../db/tables/people/memberships.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { changeMember, versionOfMembership } from '../../actions/people/changeMember.ts';
import { removeMember } from '../../actions/people/removeMember.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { PermissionName, PERMISSIONS, ROLES } from '../../domain/role.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import { conflictRows, mergeValues, openedIn } from '../shell/conflict.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields, formErrors, type FieldLabels } from '../shell/formErrors.ts';
import { grantableRights, presentInvitationRow, presentMemberRow } from './view.ts';
import type { Texts } from '../../locales/texts.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { MemberChange } from '../../inputs/memberInput.ts';
import { PAGE, readPage } from '../../http/paging.ts';
import { pathId } from '../../http/pathId.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';
import { memberAccountPages } from './memberAccounts.ts';
import { memberInvitationPages } from './memberInvitations.ts';

const home = (ctx: Context) => organisationPath(ctx, '/members');
/** More than wait at once in any organisation; the API lists them all. */
const SHOWN_INVITATIONS = 200;
const MemberQuery = z.strictObject({ cursor: PAGE.cursor });
const FIELDS = ['role', 'permissions'] as const;

/** What a member may do, as the form carries it from when it was opened. */
const Standing = z.object({ role: z.enum(ROLES), permissions: z.array(PermissionName) });
type Standing = z.output<typeof Standing>;

/** Who belongs to the tenant, and what they may do in it. */
export function memberPages(services: Pick<Services, 'config' | 'db'>, pages: Pages): Router<State> {
  const { db, config } = services;
  const router = new Router<State>(ROUTER).get(
    '/members',
    permission('members:read'),
    query(MemberQuery, async (ctx, { cursor }) => {
      const principal = principalOf(ctx);
      const tenantId = principal.tenant.id;
      const page = { limit: 100, cursor };
      const { rows, nextCursor } = await readPage(page, ['members page', tenantId], async (wanted) =>
        listMembers(db, tenantId, wanted),
      );
      const next = nextCursor === null ? undefined : `${home(ctx)}?cursor=${nextCursor}`;
      const invitations = await listInvitations(db, tenantId, { after: undefined, limit: SHOWN_INVITATIONS });
      const locals = {
        invitations: invitations.map((invitation) => presentInvitationRow(invitation, principal, Date.now())),
        members: rows.map((member) => presentMemberRow(member, principal)),
        mayManage: principal.type === 'user' && principal.permissions.has('members:manage'),
        paging: { first: cursor === undefined ? undefined : home(ctx), next },
      };
      const title = pages.texts(ctx).t('members.title');
      const shown = { title, section: 'members', part: 'members/_list', listed: true } as const;
      await pages.show(ctx, 'members/list', { ...shown, locals });
    }),
  );
  memberInvitationPages(router, services, pages);
  router
    .get('/members/:id', permission('members:manage'), async (ctx) => showMember(ctx, await memberOf(ctx)))
    .post('/members/:id', permission('members:manage'), async (ctx) => {
      const form = formOf(ctx);
      const member = await memberOf(ctx);
      const opened = openedIn(form, Standing);
      const act = { ...actionContext(ctx, db), expectedVersions: opened && [versionOfMembership(opened)] };
      const outcome = await recoverable(async () =>
        changeMember(act, member.id, readFields(MemberChange, membershipFields(form))),
      );
      if ('refusal' in outcome) await showMember(ctx, await memberOf(ctx), { form, refusal: outcome.refusal, opened });
      else pages.redirect(ctx, home(ctx), { text: 'members.changed', values: { name: member.name } });
    })
    .get('/members/:id/remove', permission('members:manage'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, name, email } = await memberOf(ctx);
      await askConfirmation(pages, ctx, 'members', {
        title: t('members.remove_title', { name }),
        lines: [t('members.remove_text', { name, email }), t('members.remove_keys')],
        action: `${home(ctx)}/${id}/remove`,
        submit: t('members.remove'),
        keep: t('members.keep'),
        back: `${home(ctx)}/${id}`,
        danger: true,
      });
    })
    .post('/members/:id/remove', permission('members:manage'), async (ctx) => {
      const member = await memberOf(ctx);
      const outcome = await recoverable(async () => removeMember(actionContext(ctx, db), member.id));
      if ('refusal' in outcome) await showMember(ctx, member, { refusal: outcome.refusal });
      else if (member.id === principalOf(ctx).id) pages.redirect(ctx, '/');
      else pages.redirect(ctx, home(ctx), { text: 'members.removed', values: { name: member.name } });
    });
  return memberAccountPages(router, services, pages, { memberOf, showMember });

  async function memberOf(ctx: Context): Promise<Member> {
    const member = await findMember(db, principalOf(ctx).tenant.id, pathId(ctx));
    if (!member) throw new AppError('not_found', 'no_such_member');
    return member;
  }

  function labelsOf(ctx: Context): FieldLabels {
    const { t } = pages.texts(ctx);
    return Object.fromEntries(FIELDS.map((field) => [field, t(`members.${field}`)]));
  }

  async function showMember(
    ctx: Context,
    member: Member,
    { form, refusal, opened }: { form?: URLSearchParams; refusal?: AppError; opened?: Standing | undefined } = {},
  ): Promise<void> {
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const principal = principalOf(ctx);
    const stored = { role: member.role, permissions: [...member.permissions] };
    const yours = {
      role: (form?.get('role') ?? member.role) as Standing['role'],
      permissions: (form?.getAll('permissions') ?? stored.permissions) as Standing['permissions'],
    };
    const versions = opened && refusal?.code === 'changed_meanwhile' ? { opened, yours, stored } : undefined;
    const locals = {
      member: presentMemberRow(member, principal),
      values: versions ? mergeValues(versions) : yours,
      opened: JSON.stringify(versions ? stored : (opened ?? stored)),
      conflict: versions && conflictRows(versions, (standing) => standingFacts(standing, words)),
      refused: versions ? undefined : refusal && formErrors(words, refusal, labelsOf(ctx)),
      givable: grantableRights(principal, config.sampleProduct, member.permissions),
    };
    const here = `${home(ctx)}/${member.id}`;
    await pages.show(ctx, 'members/edit', { title: member.name, section: 'members', locals, here });
  }
}

function membershipFields(form: URLSearchParams) {
  return { role: form.get('role') ?? undefined, permissions: form.getAll('permissions') };
}

/** What a member may do, in the words of the form. */
function standingFacts({ role, permissions }: Standing, { t }: Texts) {
  const named = PERMISSIONS.filter((one) => permissions.includes(one)).map((one) =>
    t(`members.permission_${one.replace(/[:-]/g, '_')}`),
  );
  return [
    { label: t('members.role'), value: t(`shell.role_${role}`) },
    { label: t('members.permissions'), value: named.join(', ') },
  ];
}
