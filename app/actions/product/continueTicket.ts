import { transaction, type Db } from '../../../db/connection/connect.ts';
import { insertTicketMessage } from '../../../db/tables/product/supportMessages.ts';
import { lockTicket, updateTicket, type Ticket, type TicketStatus } from '../../../db/tables/product/supportTickets.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { AppError } from '../../errors.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

/** A ticket is read as a whole, so it must not grow for ever. */
const MOST_MESSAGES = 200;

/** Adds a message, which reopens an answered ticket; a closed ticket takes no message: 409. */
export async function addTicketMessage(act: ActionContext, id: string, text: string): Promise<Ticket> {
  return changeTicket(act, id, async (trx, ticket) => insertMessage(trx, act, ticket, text, 'open'));
}

/** Answers a ticket; a closed ticket takes no answer: 409. */
export async function answerTicket(act: ActionContext, id: string, text: string): Promise<Ticket> {
  return changeTicket(act, id, async (trx, ticket) => insertMessage(trx, act, ticket, text, 'answered'));
}

/** Closes a ticket for good; closing it again changes nothing. */
export async function closeTicket(act: ActionContext, id: string): Promise<Ticket> {
  return changeTicket(act, id, async (_trx, ticket) =>
    ticket.status === 'closed' ? ticket : { ...ticket, status: 'closed', closedAt: act.now },
  );
}

async function changeTicket(
  act: ActionContext,
  id: string,
  change: (trx: Db, ticket: Ticket) => Promise<Ticket>,
): Promise<Ticket> {
  const apply = async (trx: Db) => {
    const before = await lockTicket(trx, act.tenantId, id);
    if (!before) throw new AppError('not_found', 'no_such_ticket');
    const changed = await change(trx, before);
    if (changed === before) return before;
    const after = { ...changed, updatedAt: act.now };
    await updateTicket(trx, after);
    const auditedFields = ({ status, messages }: Ticket) => ({ status, messages });
    await recordAuditEvent(trx, act, {
      action: 'TICKET_UPDATED',
      entityId: id,
      ...changedFields(auditedFields(before), auditedFields(after)),
    });
    return after;
  };
  return transaction(act.db, async (trx) => makeOnce(trx, act, async () => apply(trx)));
}

async function insertMessage(
  trx: Db,
  act: ActionContext,
  ticket: Ticket,
  text: string,
  status: TicketStatus,
): Promise<Ticket> {
  const { tenantId, actor: author, now: createdAt } = act;
  if (ticket.status === 'closed') throw new AppError('conflict', 'ticket_closed');
  const number = ticket.messages + 1;
  if (number > MOST_MESSAGES) throw new AppError('conflict', 'ticket_full');
  await insertTicketMessage(trx, { ticketId: ticket.id, number, tenantId, text, author, createdAt });
  return { ...ticket, status, messages: number };
}
