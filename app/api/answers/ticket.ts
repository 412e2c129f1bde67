import { z } from 'zod';
import type { TicketMessage } from '../../../db/tables/product/supportMessages.ts';
import { TICKET_PRIORITIES, TICKET_STATUSES, type Ticket } from '../../../db/tables/product/supportTickets.ts';
import { iso } from '../../domain/times.ts';

const Time = z.iso.datetime();

/** A ticket as its list shows it. */
export const TicketAnswer = z.strictObject({
  id: z.string(),
  subject: z.string(),
  priority: z.enum(TICKET_PRIORITIES),
  status: z.enum(TICKET_STATUSES),
  messageCount: z.int(),
  createdBy: z.string().nullable(),
  createdWith: z.string().nullable(),
  createdAt: Time,
  updatedAt: Time,
  closedAt: Time.nullable(),
});

export const TicketListAnswer = z.strictObject({ data: z.array(TicketAnswer), nextCursor: z.string().nullable() });

/** A ticket with all its messages. */
export const WholeTicketAnswer = TicketAnswer.extend({
  messages: z.array(
    z.strictObject({
      text: z.string(),
      authorType: z.enum(['user', 'api_key', 'system', 'anonymous']),
      authorId: z.string().nullable(),
      authorName: z.string().nullable(),
      createdAt: Time,
    }),
  ),
});

export function presentTicket(ticket: Ticket): z.output<typeof TicketAnswer> {
  return {
    id: ticket.id,
    subject: ticket.subject,
    priority: ticket.priority,
    status: ticket.status,
    messageCount: ticket.messages,
    createdBy: ticket.createdBy,
    createdWith: ticket.createdWith,
    createdAt: iso(ticket.createdAt),
    updatedAt: iso(ticket.updatedAt),
    closedAt: iso(ticket.closedAt),
  };
}

export function presentWholeTicket(
  ticket: Ticket,
  messages: readonly TicketMessage[],
): z.output<typeof WholeTicketAnswer> {
  return {
    ...presentTicket(ticket),
    messages: messages.map(({ text, author, createdAt }) => ({
      text,
      authorType: author.type,
      authorId: author.id,
      authorName: author.name,
      createdAt: iso(createdAt),
    })),
  };
}
