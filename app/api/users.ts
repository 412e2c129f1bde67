import Router from '@koa/router';
import { z } from 'zod';
import { findMember, listMembers } from '../../db/tables/people/memberships.ts';
import { actionContext } from '../actions/actionContext.ts';
import { changeUser, versionOfAccount } from '../actions/people/changeUser.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { AppError } from '../errors.ts';
import { presentUser, UserAnswer, UserListAnswer } from './answers/member.ts';
import type { Services } from '../services.ts';
import { permission, scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { body, query } from '../http/input.ts';
import { UserChange } from '../inputs/memberInput.ts';
import { PAGE, readPage } from '../http/paging.ts';
import { pathId } from '../http/pathId.ts';
import { ROUTER } from '../http/router.ts';

const UserQuery = z.strictObject(PAGE);

/** The accounts of the people in the tenant. */
export function userRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const show = async (ctx: Context, id: string) => {
    const member = await findMember(db, principalOf(ctx).tenant.id, id);
    if (!member) throw new AppError('not_found', 'no_such_user');
    setEtag(ctx, versionOfAccount(member));
    ctx.body = presentUser(member);
  };

  return new Router<State>(ROUTER)
    .get(
      '/users',
      scope('users:read'),
      answers(200, UserListAnswer, 'Lists the people of the tenant, those known longest first.'),
      query(UserQuery, async (ctx, asked) => {
        const tenantId = principalOf(ctx).tenant.id;
        const { rows, nextCursor } = await readPage(asked, ['users', tenantId], async (page) =>
          listMembers(db, tenantId, page),
        );
        ctx.body = { data: rows.map(presentUser), nextCursor };
      }),
    )
    .get(
      '/users/:id',
      scope('users:read'),
      showsEtag(),
      answers(200, UserAnswer, 'Shows a person of the tenant.'),
      async (ctx) => show(ctx, pathId(ctx)),
    )
    .patch(
      '/users/:id',
      permission('members:manage', 'users:write'),
      showsEtag(),
      takesIfMatch(),
      answers(
        200,
        UserAnswer,
        'Renames, disables or enables a person, for operators; anybody else may only rename themselves, here or by PATCH /self.',
        ['conflict', 'insufficient_permission'],
      ),
      body(UserChange, async (ctx, change) => {
        const id = pathId(ctx);
        await changeUser(actionContext(ctx, db), id, change);
        await show(ctx, id);
      }),
    );
}
