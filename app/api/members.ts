import Router from '@koa/router';
import { z } from 'zod';
import { findMember, listMembers } from '../../db/tables/people/memberships.ts';
import { actionContext } from '../actions/actionContext.ts';
import { changeMember, versionOfMembership } from '../actions/people/changeMember.ts';
import { removeMember } from '../actions/people/removeMember.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { AppError } from '../errors.ts';
import { MemberAnswer, MemberListAnswer, presentMember } from './answers/member.ts';
import { DeletedAnswer, presentDeleted } from './answers/record.ts';
import type { Services } from '../services.ts';
import { permission } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { body, query } from '../http/input.ts';
import { MemberChange } from '../inputs/memberInput.ts';
import { PAGE, readPage } from '../http/paging.ts';
import { pathId } from '../http/pathId.ts';
import { ROUTER } from '../http/router.ts';
import { memberInvitationRoutes } from './memberInvitations.ts';

const MemberQuery = z.strictObject(PAGE);

/** Who belongs to the tenant, and what they may do in it. */
export function memberRoutes(services: Pick<Services, 'config' | 'db'>): Router<State> {
  const { db } = services;
  const show = async (ctx: Context, id: string) => {
    const member = await findMember(db, principalOf(ctx).tenant.id, id);
    if (!member) throw new AppError('not_found', 'no_such_member');
    setEtag(ctx, versionOfMembership(member));
    ctx.body = presentMember(member);
  };

  const router = new Router<State>(ROUTER).get(
    '/members',
    permission('members:read', 'members:read'),
    answers(200, MemberListAnswer, 'Lists the members of the tenant, those known longest first.'),
    query(MemberQuery, async (ctx, asked) => {
      const tenantId = principalOf(ctx).tenant.id;
      const { rows, nextCursor } = await readPage(asked, ['members', tenantId], async (page) =>
        listMembers(db, tenantId, page),
      );
      ctx.body = { data: rows.map(presentMember), nextCursor };
    }),
  );
  return memberInvitationRoutes(router, services)
    .get(
      '/members/:id',
      permission('members:read', 'members:read'),
      showsEtag(),
      answers(200, MemberAnswer, 'Shows a member.'),
      async (ctx) => show(ctx, pathId(ctx)),
    )
    .patch(
      '/members/:id',
      permission('members:manage'),
      showsEtag(),
      takesIfMatch(),
      answers(200, MemberAnswer, 'Changes what a member is, from their next request on.', [
        'conflict',
        'insufficient_permission',
      ]),
      body(MemberChange, async (ctx, change) => {
        const id = pathId(ctx);
        await changeMember(actionContext(ctx, db), id, change);
        await show(ctx, id);
      }),
    )
    .delete(
      '/members/:id',
      permission('members:manage', 'members:delete'),
      takesIfMatch(),
      answers(200, DeletedAnswer, 'Puts a member out of the tenant; their account stays.', [
        'conflict',
        'insufficient_permission',
      ]),
      async (ctx) => {
        const id = pathId(ctx);
        await removeMember(actionContext(ctx, db), id);
        ctx.body = presentDeleted(id);
      },
    );
}
