import type { Actor } from '../../../app/domain/auditEvent.ts';
import type { Db } from '../../connection/connect.ts';

/** One message of a ticket; the first opened it. */
export interface TicketMessage {
  ticketId: string;
  number: number;
  tenantId: string;
  text: string;
  /** With their name as it was then. */
  author: Actor;
  createdAt: number;
}

interface Row {
  ticket_id: string;
  number: number;
  tenant_id: string;
  text: string;
  author_type: Actor['type'];
  author_id: string | null;
  author_name: string | null;
  created_at: number;
}

export async function insertTicketMessage(db: Db, message: TicketMessage): Promise<void> {
  const { ticketId, number, tenantId, text, author, createdAt } = message;
  await table(db).insert({
    ticket_id: ticketId,
    number,
    tenant_id: tenantId,
    text,
    author_type: author.type,
    author_id: author.id,
    author_name: author.name,
    created_at: createdAt,
  });
}

/** Lists the messages of a ticket in order. */
export async function listTicketMessages(db: Db, tenantId: string, ticketId: string): Promise<TicketMessage[]> {
  const rows = await table(db).where({ ticket_id: ticketId, tenant_id: tenantId }).orderBy('number');
  return rows.map((row) => ({
    ticketId: row.ticket_id,
    number: row.number,
    tenantId: row.tenant_id,
    text: row.text,
    author: { type: row.author_type, id: row.author_id, name: row.author_name },
    createdAt: row.created_at,
  }));
}

function table(db: Db) {
  return db<Row>('support_messages');
}
