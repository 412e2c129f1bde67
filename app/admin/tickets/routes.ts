import Router from '@koa/router';
import { z } from 'zod';
import { listTicketMessages } from '../../../db/tables/product/supportMessages.ts';
import {
  findTicket,
  listTickets,
  TICKET_PRIORITIES,
  TICKET_STATUSES,
  type Ticket,
} from '../../../db/tables/product/supportTickets.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { addTicketMessage, answerTicket, closeTicket } from '../../actions/product/continueTicket.ts';
import { openTicket } from '../../actions/product/openTicket.ts';
import { holdsScope } from '../../auth/authority.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import { addressOf } from '../../http/redirect.ts';
import type { Pages } from '../shell/pages.ts';
import { recoverable, readFields, formErrors } from '../shell/formErrors.ts';
import { presentTicketPage, presentTicketRow } from './view.ts';
import type { Services } from '../../services.ts';
import { permission, scope } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { readPage } from '../../http/paging.ts';
import { pathId } from '../../http/pathId.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';
import { Message, NewTicket, TicketQuery } from '../../inputs/ticketInput.ts';

const home = (ctx: Context) => organisationPath(ctx, '/tickets');
/** An empty choice of the filter asks for every status. */
const TicketPageQuery = TicketQuery.pick({ cursor: true }).extend({
  status: z.enum(['', ...TICKET_STATUSES]).default(''),
});

/** A refused form, with the fields as they were submitted. */
interface Returned {
  form: URLSearchParams;
  refusal: AppError;
}

/** Tickets: open until a person who manages tickets answers, and until they are closed. */
export function ticketPages({ db }: Pick<Services, 'db'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/tickets',
      scope('support:read'),
      query(TicketPageQuery, async (ctx, { status, cursor }) => {
        const { id: tenantId } = principalOf(ctx).tenant;
        const filter = { status: status === '' ? undefined : status };
        const { rows, nextCursor } = await readPage(
          { limit: 50, cursor },
          ['ticket page', tenantId, status],
          async (page) => listTickets(db, tenantId, filter, page),
        );
        const { t } = pages.texts(ctx);
        const locals = {
          tickets: rows.map(presentTicketRow),
          statuses: ['' as const, ...TICKET_STATUSES].map((one) => ({
            href: addressOf(home(ctx), { status: one }),
            label: t(one === '' ? 'tickets.all' : `tickets.status_${one}`),
            current: one === status,
          })),
          status,
          mayOpen: holdsScope(principalOf(ctx), 'support:write'),
          paging: {
            first: cursor === undefined ? undefined : addressOf(home(ctx), { status }),
            next: nextCursor === null ? undefined : addressOf(home(ctx), { status, cursor: nextCursor }),
          },
        };
        const page = { title: t('tickets.title'), section: 'tickets', part: 'tickets/_list', listed: true } as const;
        await pages.show(ctx, 'tickets/list', { ...page, locals });
      }),
    )
    .get('/tickets/new', scope('support:write'), async (ctx) => showNew(ctx))
    .post('/tickets', scope('support:write'), async (ctx) => {
      const form = formOf(ctx);
      const outcome = await recoverable(async () =>
        openTicket(actionContext(ctx, db), readFields(NewTicket, Object.fromEntries(form))),
      );
      if ('refusal' in outcome) return showNew(ctx, { form, refusal: outcome.refusal });
      pages.redirect(ctx, `${home(ctx)}/${outcome.done.id}`, { text: 'tickets.opened' });
    })
    .get('/tickets/:id', scope('support:read'), async (ctx) => showTicket(ctx))
    .post('/tickets/:id/messages', scope('support:write'), async (ctx) =>
      addMessage(ctx, addTicketMessage, 'tickets.added'),
    )
    .post('/tickets/:id/answer', permission('tickets:manage'), async (ctx) =>
      addMessage(ctx, answerTicket, 'tickets.answered_now'),
    )
    .get('/tickets/:id/close', permission('tickets:manage'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, subject } = await ticketOf(ctx);
      await askConfirmation(pages, ctx, 'tickets', {
        title: t('tickets.close_title'),
        lines: [t('tickets.close_text', { subject })],
        action: `${home(ctx)}/${id}/close`,
        submit: t('tickets.close'),
        keep: t('tickets.keep'),
        back: `${home(ctx)}/${id}`,
        danger: true,
      });
    })
    .post('/tickets/:id/close', permission('tickets:manage'), async (ctx) => {
      const { id } = await closeTicket(actionContext(ctx, db), pathId(ctx));
      pages.redirect(ctx, `${home(ctx)}/${id}`, { text: 'tickets.closed_now' });
    });

  async function ticketOf(ctx: Context): Promise<Ticket> {
    const ticket = await findTicket(db, principalOf(ctx).tenant.id, pathId(ctx));
    if (!ticket) throw new AppError('not_found', 'no_such_ticket');
    return ticket;
  }

  async function addMessage(ctx: Context, action: typeof addTicketMessage, text: string): Promise<void> {
    const form = formOf(ctx);
    const id = pathId(ctx);
    const outcome = await recoverable(async () => {
      const { message } = readFields(Message, { message: form.get('message') ?? '' });
      return action(actionContext(ctx, db), id, message);
    });
    if ('refusal' in outcome) await showTicket(ctx, { form, refusal: outcome.refusal });
    else pages.redirect(ctx, `${home(ctx)}/${id}`, { text });
  }

  async function showNew(ctx: Context, returned?: Returned): Promise<void> {
    const { form, refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const { t } = words;
    const labels = { subject: t('tickets.subject'), priority: t('tickets.priority'), message: t('tickets.message') };
    const locals = {
      values: {
        subject: form?.get('subject') ?? '',
        priority: form?.get('priority') ?? 'normal',
        message: form?.get('message') ?? '',
      },
      priorities: TICKET_PRIORITIES,
      refused: refusal && formErrors(words, refusal, labels),
    };
    const page = { title: t('tickets.new'), section: 'tickets', here: `${home(ctx)}/new` } as const;
    await pages.show(ctx, 'tickets/new', { ...page, locals });
  }

  async function showTicket(ctx: Context, returned?: Returned): Promise<void> {
    const { form, refusal } = returned ?? {};
    const ticket = await ticketOf(ctx);
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const principal = principalOf(ctx);
    const locals = {
      ticket: presentTicketPage(ticket, await listTicketMessages(db, ticket.tenantId, ticket.id)),
      written: form?.get('message') ?? '',
      refused: refusal && formErrors(words, refusal, { message: words.t('tickets.message') }),
      mayWrite: holdsScope(principal, 'support:write'),
      mayManage: principal.type === 'user' && principal.permissions.has('tickets:manage'),
    };
    const here = `${home(ctx)}/${ticket.id}`;
    await pages.show(ctx, 'tickets/show', { title: ticket.subject, section: 'tickets', locals, here });
  }
}
