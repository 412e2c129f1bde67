import type { Fields, RecordSearchValues } from '../../../app/domain/resources.ts';
import type { Db } from '../../connection/connect.ts';
import { containsPattern, LIKE } from '../../sql/like.ts';
import { newestFirst, type Page } from '../../sql/newestFirst.ts';

/** A record of one of the ordinary resources. */
export interface StoredRecord {
  id: string;
  tenantId: string;
  resource: string;
  data: Fields;
  createdBy: string | null;
  /** The key it was made with. */
  createdWith: string | null;
  createdAt: number;
  updatedAt: number;
}

/** Which records to list: all of these must hold. */
export interface RecordFilter {
  /** Part of the name. */
  text?: string | undefined;
  status?: string | undefined;
  reference?: string | undefined;
}

interface Row {
  id: string;
  tenant_id: string;
  resource: string;
  name: string;
  status: string | null;
  reference: string | null;
  data: string;
  created_by: string | null;
  created_with: string | null;
  created_at: number;
  updated_at: number;
}

export async function insertRecord(db: Db, record: StoredRecord, sought: RecordSearchValues): Promise<void> {
  const { id, tenantId, resource, data, createdBy, createdWith, createdAt, updatedAt } = record;
  await table(db).insert({
    id,
    tenant_id: tenantId,
    resource,
    ...sought,
    data: JSON.stringify(data),
    created_by: createdBy,
    created_with: createdWith,
    created_at: createdAt,
    updated_at: updatedAt,
  });
}

export async function findRecord(
  db: Db,
  tenantId: string,
  resource: string,
  id: string,
): Promise<StoredRecord | undefined> {
  const row = await one(db, tenantId, resource, id).first();
  return row && recordOf(row);
}

/** Finds one record and locks it until the transaction ends. */
export async function lockRecord(
  trx: Db,
  tenantId: string,
  resource: string,
  id: string,
): Promise<StoredRecord | undefined> {
  const row = await one(trx, tenantId, resource, id).forUpdate().first();
  return row && recordOf(row);
}

/** Updates the data of a locked record. */
export async function updateRecordData(trx: Db, record: StoredRecord, sought: RecordSearchValues): Promise<void> {
  const { id, tenantId, resource, data, updatedAt } = record;
  await one(trx, tenantId, resource, id).update({ ...sought, data: JSON.stringify(data), updated_at: updatedAt });
}

/** Deletes a record that this transaction holds. */
export async function removeRecord(trx: Db, { tenantId, resource, id }: StoredRecord): Promise<void> {
  await one(trx, tenantId, resource, id).delete();
}

/** The newest records that match. */
export async function listRecords(
  db: Db,
  tenantId: string,
  resource: string,
  { text, status, reference }: RecordFilter,
  page: Page,
): Promise<StoredRecord[]> {
  const rows = table(db).where({
    tenant_id: tenantId,
    resource,
    ...(status !== undefined && { status }),
    ...(reference !== undefined && { reference }),
  });
  if (text !== undefined) void rows.whereRaw(`name ${LIKE}`, [containsPattern(text)]);
  newestFirst(rows, page);
  return (await rows.select('*')).map(recordOf);
}

function one(db: Db, tenantId: string, resource: string, id: string) {
  return table(db).where({ tenant_id: tenantId, resource, id });
}

function table(db: Db) {
  return db<Row>('records');
}

function recordOf(row: Row): StoredRecord {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    resource: row.resource,
    data: JSON.parse(row.data) as Fields,
    createdBy: row.created_by,
    createdWith: row.created_with,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
