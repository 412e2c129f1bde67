import type Router from '@koa/router';
import { z } from 'zod';
import { findInvitation, listInvitations } from '../../db/tables/people/invitations.ts';
import { actionContext } from '../actions/actionContext.ts';
import { invitationLink, inviteMember } from '../actions/people/inviteMember.ts';
import { withdrawInvitation } from '../actions/people/withdrawInvitation.ts';
import { principalOf, type State } from '../context.ts';
import { AppError } from '../errors.ts';
import { answerMade } from './answerMade.ts';
import {
  InvitationAnswer,
  InvitationListAnswer,
  InvitedAnswer,
  presentInvitation,
  presentInvited,
} from './answers/invitation.ts';
import { DeletedAnswer, presentDeleted } from './answers/record.ts';
import type { Services } from '../services.ts';
import { permission } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { makes } from '../http/idempotency.ts';
import { body, query } from '../http/input.ts';
import { NewInvitation } from '../inputs/memberInput.ts';
import { PAGE, readPage } from '../http/paging.ts';
import { pathId } from '../http/pathId.ts';

const InvitationQuery = z.strictObject(PAGE);

/** Adds the pending invitations of a tenant to the routes of its members. */
export function memberInvitationRoutes(
  router: Router<State>,
  { config, db }: Pick<Services, 'config' | 'db'>,
): Router<State> {
  return router
    .get(
      '/members/invitations',
      permission('members:read', 'members:read'),
      answers(200, InvitationListAnswer, 'Lists the pending invitations of the tenant, the oldest first.'),
      query(InvitationQuery, async (ctx, asked) => {
        const tenantId = principalOf(ctx).tenant.id;
        const { rows, nextCursor } = await readPage(asked, ['invitations', tenantId], async (page) =>
          listInvitations(db, tenantId, page),
        );
        ctx.body = { data: rows.map(presentInvitation), nextCursor };
      }),
    )
    .post(
      '/members/invitations',
      permission('members:manage', 'members:write'),
      makes(db),
      answers(
        201,
        InvitedAnswer,
        'Invites somebody by their email, in place of an earlier invitation; the answer holds the link to hand over, once.',
        ['conflict', 'insufficient_permission'],
      ),
      body(NewInvitation, async (ctx, input) =>
        answerMade(
          ctx,
          db,
          async (act) => inviteMember(act, input),
          ({ invitation, token }) => ({
            path: `/members/invitations/${invitation.id}`,
            ...presentInvited(invitation, invitationLink(config.publicUrl, token)),
          }),
        ),
      ),
    )
    .get(
      '/members/invitations/:id',
      permission('members:read', 'members:read'),
      answers(200, InvitationAnswer, 'Shows a pending invitation, without its link.'),
      async (ctx) => {
        const invitation = await findInvitation(db, principalOf(ctx).tenant.id, pathId(ctx));
        if (!invitation) throw new AppError('not_found', 'no_such_invitation');
        ctx.body = presentInvitation(invitation);
      },
    )
    .delete(
      '/members/invitations/:id',
      permission('members:manage', 'members:delete'),
      answers(200, DeletedAnswer, 'Withdraws a pending invitation: its link opens nothing any more.', [
        'insufficient_permission',
      ]),
      async (ctx) => {
        const id = pathId(ctx);
        await withdrawInvitation(actionContext(ctx, db), id);
        ctx.body = presentDeleted(id);
      },
    );
}
