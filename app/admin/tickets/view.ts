import type { TicketMessage } from '../../../db/tables/product/supportMessages.ts';
import type { Ticket } from '../../../db/tables/product/supportTickets.ts';

/** A ticket as the list shows it. */
export function presentTicketRow({ id, subject, priority, status, messages, createdAt, updatedAt }: Ticket) {
  return { id, subject, priority, status, messages, createdAt, updatedAt };
}

/** A ticket with all its messages; messages by others than the opener are answers. */
export function presentTicketPage(ticket: Ticket, messages: readonly TicketMessage[]) {
  return {
    ...presentTicketRow(ticket),
    said: messages.map(({ number, text, author, createdAt }) => ({
      number,
      text,
      author: author.name ?? '',
      byKey: author.type === 'api_key',
      answers: author.id !== ticket.createdBy && author.id !== ticket.createdWith,
      createdAt,
    })),
  };
}
