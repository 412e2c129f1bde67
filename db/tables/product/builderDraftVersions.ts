import type { Db } from '../../connection/connect.ts';

/** One saving of a draft. */
export interface DraftVersion {
  draftId: string;
  version: number;
  tenantId: string;
  content: unknown;
  createdBy: string | null;
  createdWith: string | null;
  createdAt: number;
}

interface Row {
  draft_id: string;
  version: number;
  tenant_id: string;
  content: string;
  created_by: string | null;
  created_with: string | null;
  created_at: number;
}

export async function insertDraftVersion(db: Db, saved: DraftVersion): Promise<void> {
  const { draftId, version, tenantId, content, createdBy, createdWith, createdAt } = saved;
  await table(db).insert({
    draft_id: draftId,
    version,
    tenant_id: tenantId,
    content: JSON.stringify(content),
    created_by: createdBy,
    created_with: createdWith,
    created_at: createdAt,
  });
}

export async function findDraftVersion(
  db: Db,
  tenantId: string,
  draftId: string,
  version: number,
): Promise<DraftVersion | undefined> {
  const row = await table(db).where({ draft_id: draftId, version, tenant_id: tenantId }).first();
  return row && versionOf(row);
}

function table(db: Db) {
  return db<Row>('builder_draft_versions');
}

function versionOf(row: Row): DraftVersion {
  return {
    draftId: row.draft_id,
    version: row.version,
    tenantId: row.tenant_id,
    content: JSON.parse(row.content) as unknown,
    createdBy: row.created_by,
    createdWith: row.created_with,
    createdAt: row.created_at,
  };
}
