import type { Db } from '../../connection/connect.ts';

/** Who told of a leak: whoever showed the key, or GitHub. */
export type LeakSource = 'report' | 'github';

/** That the text of a key was found somewhere, and where. */
export interface LeakReport {
  id: string;
  tenantId: string;
  keyId: string;
  source: LeakSource;
  url: string | null;
  /** What kind of place GitHub says it is, such as `commit`. */
  foundIn: string | null;
  /** The hash of the signed body that told of it; the same body is acted on once. */
  delivery: Buffer | null;
  createdAt: number;
}

interface Row {
  id: string;
  tenant_id: string;
  key_id: string;
  source: LeakSource;
  url: string | null;
  found_in: string | null;
  delivery: Buffer | null;
  created_at: number;
}

export async function insertLeakReport(db: Db, report: LeakReport): Promise<void> {
  await table(db).insert({
    id: report.id,
    tenant_id: report.tenantId,
    key_id: report.keyId,
    source: report.source,
    url: report.url,
    found_in: report.foundIn,
    delivery: report.delivery,
    created_at: report.createdAt,
  });
}

/** All that was reported of a key, the newest first. */
export async function listLeakReports(db: Db, tenantId: string, keyId: string): Promise<LeakReport[]> {
  const rows = await table(db)
    .where({ tenant_id: tenantId, key_id: keyId })
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ]);
  return rows.map((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    source: row.source,
    url: row.url,
    foundIn: row.found_in,
    delivery: row.delivery,
    createdAt: row.created_at,
  }));
}

function table(db: Db) {
  return db<Row>('api_key_leak_reports');
}
