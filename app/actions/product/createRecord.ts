import { transaction, type Db } from '../../../db/connection/connect.ts';
import { insertRecord, type StoredRecord } from '../../../db/tables/product/records.ts';
import { newId } from '../../domain/id.ts';
import { recordSearchValues, type Fields, type Resource } from '../../domain/resources.ts';
import { creatorOf, type ActionContext } from '../actionContext.ts';
import { makeOnce } from '../makeOnce.ts';

/** Adds a record to a resource. */
export async function createRecord(act: ActionContext, resource: Resource, data: Fields): Promise<StoredRecord> {
  const { db, tenantId, now } = act;
  const record = {
    ...{ id: newId(), tenantId, resource: resource.name, data },
    ...{ ...creatorOf(act), createdAt: now, updatedAt: now },
  };
  const insert = async (trx: Db) => {
    await insertRecord(trx, record, recordSearchValues(resource, data));
    return record;
  };
  // A single statement needs no transaction around it.
  if (!act.once) return insert(db);
  return transaction(db, async (trx) => makeOnce(trx, act, async () => insert(trx)));
}
