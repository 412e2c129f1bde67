import { expect } from 'chai';
import { AppError, type ErrorCode } from '../../app/errors.ts';
import type { TestServer } from './server.ts';

/** A row of the audit log. */
interface AuditRow {
  id: string;
  tenant_id: string | null;
  action: string;
  entity_id: string;
  before: string | null;
  after: string | null;
}

/** The rows that the work adds to the audit log. */
export async function auditedBy(server: TestServer, work: () => Promise<unknown>): Promise<AuditRow[]> {
  const { db } = server.services;
  const known = new Set((await db<AuditRow>('audit_logs').select('id')).map(({ id }) => id));
  await work();
  const rows = await db<AuditRow>('audit_logs').orderBy('id');
  return rows.filter(({ id }) => !known.has(id));
}

/** What a row of the audit log says, as `[action, before, after]`. */
export function auditedChange({ action, before, after }: AuditRow): [string, unknown, unknown] {
  return [action, JSON.parse(before ?? 'null'), JSON.parse(after ?? 'null')];
}

/** Expects that an action is refused with this code. */
export async function expectRefused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).to.be.instanceOf(AppError).that.includes({ code });
}
