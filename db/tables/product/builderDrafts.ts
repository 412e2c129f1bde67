import type { Db } from '../../connection/connect.ts';
import { newestFirst, type Page } from '../../sql/newestFirst.ts';

/** A draft under its name, with the number of its newest version. */
export interface Draft {
  id: string;
  tenantId: string;
  name: string;
  version: number;
  createdBy: string | null;
  createdWith: string | null;
  createdAt: number;
  updatedAt: number;
}

interface Row {
  id: string;
  tenant_id: string;
  name: string;
  version: number;
  created_by: string | null;
  created_with: string | null;
  created_at: number;
  updated_at: number;
}

export async function insertDraft(db: Db, draft: Draft): Promise<void> {
  const { id, tenantId, name, version, createdBy, createdWith, createdAt, updatedAt } = draft;
  const maker = { created_by: createdBy, created_with: createdWith };
  const times = { created_at: createdAt, updated_at: updatedAt };
  await table(db).insert({ id, tenant_id: tenantId, name, version, ...maker, ...times });
}

/** The tenant's draft of this very name, held until the transaction ends. */
export async function lockDraftNamed(trx: Db, tenantId: string, name: string): Promise<Draft | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, name }).forUpdate().first();
  return row && draftOf(row);
}

export async function findDraft(db: Db, tenantId: string, id: string): Promise<Draft | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id }).first();
  return row && draftOf(row);
}

/** Updates the newest version of a locked draft. */
export async function updateDraft(trx: Db, { tenantId, id, version, updatedAt }: Draft): Promise<void> {
  await table(trx).where({ tenant_id: tenantId, id }).update({ version, updated_at: updatedAt });
}

export async function listDrafts(db: Db, tenantId: string, page: Page): Promise<Draft[]> {
  const rows = table(db).where({ tenant_id: tenantId });
  newestFirst(rows, page);
  return (await rows.select('*')).map(draftOf);
}

function table(db: Db) {
  return db<Row>('builder_drafts');
}

function draftOf(row: Row): Draft {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    version: row.version,
    createdBy: row.created_by,
    createdWith: row.created_with,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
