import { transaction, type Db } from '../../../db/connection/connect.ts';
import { insertTicketMessage } from '../../../db/tables/product/supportMessages.ts';
import { insertTicket, type Ticket, type TicketPriority } from '../../../db/tables/product/supportTickets.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { creatorOf, type ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

export interface TicketInput {
  subject: string;
  message: string;
  priority: TicketPriority;
}

/** Opens a ticket with its first message. */
export async function openTicket(act: ActionContext, { subject, message, priority }: TicketInput): Promise<Ticket> {
  const { tenantId, actor, now } = act;
  const id = newId();
  const fields = { subject, priority, status: 'open' as const };
  const times = { createdAt: now, updatedAt: now, closedAt: null };
  const ticket: Ticket = { id, tenantId, ...fields, messages: 1, ...creatorOf(act), ...times };
  const open = async (trx: Db) => {
    await insertTicket(trx, ticket);
    await insertTicketMessage(trx, { ticketId: id, number: 1, tenantId, text: message, author: actor, createdAt: now });
    await recordAuditEvent(trx, act, { action: 'TICKET_OPENED', entityId: id, ...changedFields(null, fields) });
    return ticket;
  };
  return transaction(act.db, async (trx) => makeOnce(trx, act, async () => open(trx)));
}
