import Router from '@koa/router';
import { z } from 'zod';
import { listTicketMessages } from '../../../db/tables/product/supportMessages.ts';
import { findTicket, listTickets, type Ticket } from '../../../db/tables/product/supportTickets.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { addTicketMessage, answerTicket, closeTicket } from '../../actions/product/continueTicket.ts';
import { openTicket } from '../../actions/product/openTicket.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { answerMade } from '../answerMade.ts';
import { presentTicket, presentWholeTicket, TicketListAnswer, WholeTicketAnswer } from '../answers/ticket.ts';
import type { Services } from '../../services.ts';
import { permission, scope } from '../../http/access.ts';
import { answers } from '../../http/answers.ts';
import { makes } from '../../http/idempotency.ts';
import { body, query } from '../../http/input.ts';
import { readPage } from '../../http/paging.ts';
import { pathId } from '../../http/pathId.ts';
import { ROUTER } from '../../http/router.ts';
import { Message, NewTicket, TicketQuery } from '../../inputs/ticketInput.ts';

/** Tickets: open until a person who manages tickets answers, and until they are closed. */
export function supportRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const whole = async (ticket: Ticket, act: { db: Services['db'] }) =>
    presentWholeTicket(ticket, await listTicketMessages(act.db, ticket.tenantId, ticket.id));
  const show = async (ctx: Context, ticket: Ticket | undefined) => {
    if (!ticket) throw new AppError('not_found', 'no_such_ticket');
    ctx.body = await whole(ticket, { db });
  };

  return new Router<State>(ROUTER)
    .post(
      '/support/tickets',
      scope('support:write'),
      makes(db),
      answers(201, WholeTicketAnswer, 'Opens a ticket.'),
      body(NewTicket, async (ctx, input) =>
        answerMade(
          ctx,
          db,
          async (act) => openTicket(act, input),
          async (ticket, act) => ({ path: `/support/tickets/${ticket.id}`, body: await whole(ticket, act) }),
        ),
      ),
    )
    .get(
      '/support/tickets',
      scope('support:read'),
      answers(200, TicketListAnswer, 'Lists the tickets, newest first.'),
      query(TicketQuery, async (ctx, { status, ...asked }) => {
        const tenantId = principalOf(ctx).tenant.id;
        const { rows, nextCursor } = await readPage(asked, ['tickets', tenantId, status ?? null], async (page) =>
          listTickets(db, tenantId, { status }, page),
        );
        ctx.body = { data: rows.map(presentTicket), nextCursor };
      }),
    )
    .get(
      '/support/tickets/:id',
      scope('support:read'),
      answers(200, WholeTicketAnswer, 'Shows a ticket with everything that was said.'),
      async (ctx) => show(ctx, await findTicket(db, principalOf(ctx).tenant.id, pathId(ctx))),
    )
    .post(
      '/support/tickets/:id/messages',
      scope('support:write'),
      makes(db),
      answers(200, WholeTicketAnswer, 'Adds to a ticket; one that was answered is open again.', ['conflict']),
      body(Message, async (ctx, { message }) =>
        answerMade(
          ctx,
          db,
          async (act) => addTicketMessage(act, pathId(ctx), message),
          async (ticket, act) => ({ body: await whole(ticket, act) }),
        ),
      ),
    )
    .post(
      '/support/tickets/:id/answer',
      permission('tickets:manage'),
      makes(db),
      answers(200, WholeTicketAnswer, 'Answers a ticket.', ['conflict']),
      body(Message, async (ctx, { message }) =>
        answerMade(
          ctx,
          db,
          async (act) => answerTicket(act, pathId(ctx), message),
          async (ticket, act) => ({ body: await whole(ticket, act) }),
        ),
      ),
    )
    .post(
      '/support/tickets/:id/close',
      permission('tickets:manage'),
      answers(200, WholeTicketAnswer, 'Closes a ticket for good.'),
      body(z.strictObject({}), async (ctx) => show(ctx, await closeTicket(actionContext(ctx, db), pathId(ctx)))),
    );
}
