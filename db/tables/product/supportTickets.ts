import type { Db } from '../../connection/connect.ts';
import { newestFirst, type Page } from '../../sql/newestFirst.ts';

export const TICKET_STATUSES = ['open', 'answered', 'closed'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

export const TICKET_PRIORITIES = ['low', 'normal', 'high'] as const;
export type TicketPriority = (typeof TICKET_PRIORITIES)[number];

/** A support ticket. */
export interface Ticket {
  id: string;
  tenantId: string;
  subject: string;
  priority: TicketPriority;
  status: TicketStatus;
  /** The number of its messages. */
  messages: number;
  createdBy: string | null;
  createdWith: string | null;
  createdAt: number;
  updatedAt: number;
  closedAt: number | null;
}

interface Row {
  id: string;
  tenant_id: string;
  subject: string;
  priority: TicketPriority;
  status: TicketStatus;
  messages: number;
  created_by: string | null;
  created_with: string | null;
  created_at: number;
  updated_at: number;
  closed_at: number | null;
}

export async function insertTicket(db: Db, ticket: Ticket): Promise<void> {
  await table(db).insert({
    id: ticket.id,
    tenant_id: ticket.tenantId,
    subject: ticket.subject,
    priority: ticket.priority,
    created_by: ticket.createdBy,
    created_with: ticket.createdWith,
    created_at: ticket.createdAt,
    ...changeableColumns(ticket),
  });
}

export async function findTicket(db: Db, tenantId: string, id: string): Promise<Ticket | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id }).first();
  return row && ticketOf(row);
}

/** Finds one ticket and locks it until the transaction ends. */
export async function lockTicket(trx: Db, tenantId: string, id: string): Promise<Ticket | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, id }).forUpdate().first();
  return row && ticketOf(row);
}

/** Updates the changeable columns of a locked ticket. */
export async function updateTicket(trx: Db, ticket: Ticket): Promise<void> {
  await table(trx).where({ tenant_id: ticket.tenantId, id: ticket.id }).update(changeableColumns(ticket));
}

export async function listTickets(
  db: Db,
  tenantId: string,
  { status }: { status?: TicketStatus | undefined },
  page: Page,
): Promise<Ticket[]> {
  const rows = table(db).where({ tenant_id: tenantId, ...(status && { status }) });
  newestFirst(rows, page);
  return (await rows.select('*')).map(ticketOf);
}

function table(db: Db) {
  return db<Row>('support_tickets');
}

function changeableColumns({ status, messages, updatedAt, closedAt }: Ticket) {
  return { status, messages, updated_at: updatedAt, closed_at: closedAt };
}

function ticketOf(row: Row): Ticket {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    subject: row.subject,
    priority: row.priority,
    status: row.status,
    messages: row.messages,
    createdBy: row.created_by,
    createdWith: row.created_with,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    closedAt: row.closed_at,
  };
}
