import { z } from 'zod';
import { TICKET_PRIORITIES, TICKET_STATUSES } from '../../db/tables/product/supportTickets.ts';
import { FreeText, Name } from '../domain/text.ts';
import { PAGE } from '../http/paging.ts';

/** Something to say about a ticket. */
export const Message = z.strictObject({ message: FreeText(5000) });

/** A ticket to open, with its first message. */
export const NewTicket = Message.extend({ subject: Name, priority: z.enum(TICKET_PRIORITIES).default('normal') });

/** Which tickets to list. */
export const TicketQuery = z.strictObject({ ...PAGE, status: z.enum(TICKET_STATUSES).optional() });
